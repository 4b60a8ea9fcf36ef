#!/bin/sh
# SPDX-License-Identifier: MIT
# Whether a job ends, with an error, when its last process fails in that way.
# Usage: fails.sh exception|abort|exit|signal COMMAND...
way=$1
shift
timeout 30 "$@" --fail="$way"
code=$?
echo "exit code $code"
[ "$code" -ne 0 ] && [ "$code" -ne 124 ]
