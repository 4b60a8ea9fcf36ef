# SPDX-License-Identifier: MIT
# Completion of the command teff in bash. What it takes it tells itself, by --help; where that names nothing, files.
_teff() {
  local command=${COMP_WORDS[0]} word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} verb='' words='' i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    if [[ ${COMP_WORDS[i]} != -* ]]; then
      verb=${COMP_WORDS[i]}
      break
    fi
  done
  if [[ -z $verb && $word != -* ]]; then
    words=$("$command" --help 2>/dev/null | sed -n '/^Subcommands:/,/^$/s/^  \([a-z-][a-z-]*\) .*/\1/p')
  elif [[ $word == -* ]]; then
    words=$("$command" $verb --help 2>/dev/null | sed -n 's/^ *\(-[a-z],\)\{0,1\}\(--[a-z-]*\).*/\2/p')
  elif [[ $before == --* ]]; then
    words=$("$command" $verb --help 2>/dev/null | sed -n "s/^ *$before [A-Z]*:{\([^}]*\)}.*/\1/p" | tr , ' ')
  fi
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$word")
}
complete -o bashdefault -o default -F _teff teff
