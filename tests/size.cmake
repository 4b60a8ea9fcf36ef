# SPDX-License-Identifier: MIT
# What a program weighs that loads and runs a model: with this library, and with that of the preset minimal, whose
# outputs must be the same. The ceilings are for GCC's releases for x86-64; a change that goes above one says why.
set(is_default_release FALSE)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND CMAKE_BUILD_TYPE STREQUAL Release AND CMAKE_SYSTEM_PROCESSOR STREQUAL x86_64
   AND CMAKE_CXX_FLAGS_RELEASE STREQUAL "-O3 -DNDEBUG" AND TEFF_ISAS STREQUAL "${teff_all_isas}" AND NOT TEFF_SANITIZED)
  set(is_default_release TRUE)
endif()
if(NOT is_default_release)
  return()
endif()
# 0.9 MB of the first are the readers of TorchScript, exported programs and pickled modules, and ATen's table, which a build without TEFF_IMPORT leaves out.
# Of the minimal program 0.55 MB are kernels of two instruction sets, 0.14 MB what unwinds exceptions; all operations are
# linked, for a model file may name any.
set(TEFF_SIZE_CEILING 4700000)
set(TEFF_MINIMAL_SIZE_CEILING 2150000)

add_executable(teff_run_model consumer/minimal/run_model.cpp)
add_executable(teff_write_model consumer/minimal/write_model.cpp)
foreach(program teff_run_model teff_write_model)
  target_link_libraries(${program} PRIVATE teff::teff)
  target_include_directories(${program} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(${program} PRIVATE ${TEFF_WARNINGS})
endforeach()
add_test(NAME size COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/size.sh ${CMAKE_STRIP} $<TARGET_FILE:teff_run_model>
                           ${TEFF_SIZE_CEILING})

add_test(NAME consumer_minimal
         COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/consumer/minimal.sh ${PROJECT_SOURCE_DIR}
                 ${CMAKE_CURRENT_BINARY_DIR}/minimal $<TARGET_FILE:teff_write_model> $<TARGET_FILE:teff_run_model>
                 ${CMAKE_STRIP} ${TEFF_MINIMAL_SIZE_CEILING} -DCMAKE_CXX_COMPILER=${CMAKE_CXX_COMPILER}
                 -DCMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER})
set_tests_properties(consumer_minimal PROPERTIES LABELS compiles TIMEOUT 900)
