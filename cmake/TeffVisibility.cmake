# SPDX-License-Identifier: MIT
# What can be seen of the library from outside: see export.h.in.
get_target_property(type teff TYPE)
set(TEFF_SHARED 0)
if(type STREQUAL "SHARED_LIBRARY")
  set(TEFF_SHARED 1)
endif()
configure_file(cmake/export.h.in ${TEFF_INCLUDE_DIR}/teff/export.h @ONLY)

# teff_hide(<target>): hidden is what TEFF_EXPORT does not show. Symbols that are one in the process, as GCC makes of
# static variables in templates, would keep a plugin from being unloaded.
function(teff_hide target)
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-fno-gnu-unique>)
endfunction()

if(TEFF_SHARED AND UNIX AND NOT APPLE)
  configure_file(cmake/teff.map.in ${PROJECT_BINARY_DIR}/teff.map @ONLY)
  target_link_options(teff PRIVATE LINKER:--version-script=${PROJECT_BINARY_DIR}/teff.map)
  set_target_properties(teff PROPERTIES LINK_DEPENDS ${PROJECT_BINARY_DIR}/teff.map)
endif()
