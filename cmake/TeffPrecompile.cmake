# SPDX-License-Identifier: MIT
# Precompiled headers of what nearly all sources include: Eigen for the kernels, the standard library and tensors for the
# rest. Private, and off with CMAKE_DISABLE_PRECOMPILE_HEADERS; also with a compiler cache, which would need settings of
# its own for them and is faster still, and where compile commands are written for tools, which have no such header.
# CMAKE_UNITY_BUILD does more for the rest, but then a program that uses a part of the library is linked with more of it.
if(CMAKE_CXX_COMPILER_LAUNCHER OR CMAKE_EXPORT_COMPILE_COMMANDS)
  return()
endif()

# Sources with options of their own would refuse the header, which was compiled without these.
function(teff_precompile target)
  target_precompile_headers(${target} PRIVATE ${ARGN})
  get_target_property(sources ${target} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cpp$")
  foreach(source IN LISTS sources)
    get_source_file_property(options ${source} TARGET_DIRECTORY ${target} COMPILE_OPTIONS)
    if(options)
      set_source_files_properties(${source} TARGET_DIRECTORY ${target} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
    endif()
  endforeach()
endfunction()

if(NOT CMAKE_UNITY_BUILD)
  foreach(part teff teff_compact)
    teff_precompile(${part} <algorithm> <array> <cstdint> <functional> <map> <memory> <optional> <span> <sstream> <string>
                    <unordered_map> <vector> <teff/engine/error.h> <teff/engine/tensor.h>)
  endforeach()
endif()
foreach(isa IN LISTS TEFF_ISAS)
  teff_precompile(teff_kernels_${isa} <algorithm> <cmath> <cstdint> <functional> <span> <vector> <Eigen/Core>)
  set_target_properties(teff_kernels_${isa} PROPERTIES UNITY_BUILD OFF)
  # GCC forgets with a precompiled header that its own intrinsics mean it when they leave registers undefined.
  target_compile_options(teff_kernels_${isa} PRIVATE
                         $<$<CXX_COMPILER_ID:GNU>:-Wno-uninitialized> $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endforeach()
