# SPDX-License-Identifier: MIT
# What Doxygen sees of a header: the essay at its top is the file's description, formulas and examples in comments (three
# spaces, after an empty line) are code, and comments behind fields and values belong to these.
function comment(text) {  # a documentation line, `text` behind its slashes
  if (text ~ /^   +[^ ]/ && (code || empty)) {
    code = 1
    text = "    " text
  } else if (text !~ /^ *$/) {
    code = 0
  }
  empty = text ~ /^ *$/
  return "///" text
}
function behind(line) { return substr(line, index(line, "//") + 2) }

/^#pragma once/ { print; top = "wanted"; next }
top == "wanted" && /^\/\/ / { print "/// \\file\n///"; top = "reading"; empty = 1 }
top == "wanted" && /[^ \t]/ { top = "" }
top == "reading" && /^\/\// { print comment(behind($0)); next }
top == "reading" { top = "" }

/^[ \t]*\/\/\/( |$)/ {
  indent = substr($0, 1, index($0, "//") - 1)
  print indent comment(substr($0, index($0, "///") + 3))
  trailing = 0
  next
}
{ code = empty = 0 }

trailing && /^[ \t]+\/\/ / { print "  ///<" behind($0); next }
{ trailing = 0 }
match($0, /[;,a-zA-Z0-9_] +\/\/ /) && $0 !~ /^[ \t]*(\/\/|}|#|return|if|for)/ {
  print substr($0, 1, RSTART) "  ///<" behind(substr($0, RSTART))
  trailing = 1
  next
}
{ print }
