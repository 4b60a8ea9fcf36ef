# SPDX-License-Identifier: MIT
# Older compilers fail too, but with obscure errors.
set(teff_least_GNU 12)
set(teff_least_Clang 14)
set(teff_least_AppleClang 15)  # with the SDK of macOS 13.3, whose std::to_chars knows floating-point numbers
if(MSVC)
  message(FATAL_ERROR "Teff: expected GCC or clang, got ${CMAKE_CXX_COMPILER_ID}, with the command line of MSVC")
elseif(DEFINED teff_least_${CMAKE_CXX_COMPILER_ID} AND
       CMAKE_CXX_COMPILER_VERSION VERSION_LESS teff_least_${CMAKE_CXX_COMPILER_ID})
  message(FATAL_ERROR "Teff: expected ${CMAKE_CXX_COMPILER_ID} ${teff_least_${CMAKE_CXX_COMPILER_ID}} or later, got \
${CMAKE_CXX_COMPILER_VERSION} (${CMAKE_CXX_COMPILER}); -DCMAKE_CXX_COMPILER=<compiler> names another")
endif()
