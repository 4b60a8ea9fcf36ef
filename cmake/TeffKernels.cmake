# SPDX-License-Identifier: MIT
# Compiles the kernel sources once per instruction set. Eigen's namespace and ours get a name per set, or the linker
# would keep one copy of equally named functions and mix instruction sets.
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64|amd64)$")
  set(teff_all_isas baseline avx2 avx512)
  set(teff_flags_avx2 -mavx2 -mfma -mf16c -mbmi -mbmi2)
  set(teff_flags_avx512 ${teff_flags_avx2} -mavx512f -mavx512dq -mavx512bw -mavx512vl -mprefer-vector-width=512)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64|ARM64)$")
  set(teff_all_isas neon)
else()
  set(teff_all_isas baseline)
endif()
set(TEFF_ISAS "${teff_all_isas}" CACHE STRING "Instruction sets to build kernels for: fewer make a smaller library")
foreach(isa IN LISTS TEFF_ISAS)
  if(NOT isa IN_LIST teff_all_isas)
    message(FATAL_ERROR "TEFF_ISAS: expected some of ${teff_all_isas}, got ${isa}")
  endif()
endforeach()
if(NOT TEFF_ISAS)
  message(FATAL_ERROR "TEFF_ISAS: expected some of ${teff_all_isas}, got none")
endif()
# From the simplest to the widest, in whatever order they were given: dispatch.cpp takes the last that the machine has.
set(teff_isas)
foreach(isa IN LISTS teff_all_isas)
  if(isa IN_LIST TEFF_ISAS)
    list(APPEND teff_isas ${isa})
  endif()
endforeach()

# What a small build can leave out: engine/build.h says so to the code.
option(TEFF_FLOAT64 "Compute on float64; OFF: its kernels are left out, and operations on it throw TypeError" ON)
option(TEFF_IMPORT "Networks in other libraries' formats (ONNX); OFF: load_model and save_model refuse them" ON)
option(TEFF_TRAINING "Gradients and optimisers; OFF: their kernels are left out, backward() and steps throw Error" ON)
set(teff_left_out)
foreach(part FLOAT64 TRAINING)
  if(NOT TEFF_${part})
    list(APPEND teff_left_out TEFF_WITHOUT_${part})
  endif()
endforeach()

# Products and convolutions want all of -O3. For loops over elements, rows and windows GCC's unrolling and inlining are
# as fast (62 operations: 0.96 of the time), and a quarter smaller than with all that -O3 adds to them.
set(teff_light_loops)
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  set(teff_light_loops -O2 -fpeel-loops --param=max-inline-insns-auto=30 --param=early-inlining-insns=14
                       --param=inline-min-speedup=15)
endif()

# teff_add_kernels(<target> <source>...): adds the sources, for every instruction set, to the target.
function(teff_add_kernels target)
  set(light_sources ${ARGN})
  list(FILTER light_sources EXCLUDE REGEX "/(gemm|conv)/")
  set_source_files_properties(${light_sources} PROPERTIES COMPILE_OPTIONS "${teff_light_loops}")
  foreach(isa IN LISTS TEFF_ISAS)
    set(objects teff_kernels_${isa})
    add_library(${objects} OBJECT ${ARGN})
    set_target_properties(${objects} PROPERTIES POSITION_INDEPENDENT_CODE ON CXX_VISIBILITY_PRESET hidden
                          VISIBILITY_INLINES_HIDDEN ON
                          UNITY_BUILD OFF)  # the same words in each, and little time goes into headers
    target_compile_features(${objects} PRIVATE cxx_std_20)
    target_include_directories(${objects} PRIVATE ${TEFF_INCLUDE_DIR})
    target_link_libraries(${objects} PRIVATE teff_eigen)
    target_compile_definitions(${objects} PRIVATE TEFF_ISA=${isa} Eigen=Eigen_teff_${isa} EIGEN_DONT_PARALLELIZE
                               EIGEN_NO_DEBUG EIGEN_NO_MALLOC ${teff_left_out})
    # Kernels are optimised in every build type: unoptimised they are too slow to test, and inline functions of the
    # standard library that stay calls could be taken from the wrong instruction set.
    if(isa STREQUAL "avx512" AND "avx2" IN_LIST TEFF_ISAS)
      target_compile_definitions(${objects} PRIVATE TEFF_HAS_NARROWER_WIDE_SET)
    endif()
    target_compile_options(${objects} PRIVATE ${teff_flags_${isa}} -O3 -fno-math-errno -fno-trapping-math
                           ${TEFF_WARNINGS})
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${objects}>)
  endforeach()
endfunction()
