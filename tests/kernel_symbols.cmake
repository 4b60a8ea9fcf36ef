# SPDX-License-Identifier: MIT
# No kernel object shares a weak symbol with another instruction set's: see kernel_symbols.sh.
foreach(isa IN LISTS TEFF_ISAS)
  add_test(NAME kernel_symbols_${isa}
           COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/kernel_symbols.sh ${CMAKE_NM} ${isa}
                   $<TARGET_OBJECTS:teff_kernels_${isa}>
           COMMAND_EXPAND_LISTS)
  if(TEFF_SANITIZED)  # their helpers are shared
    set_tests_properties(kernel_symbols_${isa} PROPERTIES DISABLED TRUE)
  endif()
endforeach()
