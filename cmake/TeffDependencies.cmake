# SPDX-License-Identifier: MIT
# Header-only libraries that the sources need; none of them reaches a consumer. Installed packages come first,
# a pinned download is the fallback.
include(FetchContent)
find_package(Threads REQUIRED)

# teff_dependency(<target> PACKAGE <name> [HEADER <file>] URL <url> HASH <sha256> [SUBDIR <dir>])
# makes INTERFACE target <target> with the include folder of the library, marked as system headers.
function(teff_dependency target)
  cmake_parse_arguments(arg "" "HEADER;REPOSITORY;TAG;SUBDIR" "HINTS" ${ARGN})
  add_library(${target} INTERFACE)
  find_path(${target}_INCLUDE_DIR ${arg_HEADER} PATH_SUFFIXES ${arg_HINTS})
  mark_as_advanced(${target}_INCLUDE_DIR)
  if(NOT ${target}_INCLUDE_DIR)
    message(STATUS "${arg_HEADER} not found: fetching ${arg_REPOSITORY} ${arg_TAG}")
    FetchContent_Declare(${target} GIT_REPOSITORY ${arg_REPOSITORY} GIT_TAG ${arg_TAG} GIT_SHALLOW TRUE
                         SOURCE_SUBDIR do-not-configure)
    FetchContent_MakeAvailable(${target})
    set(${target}_INCLUDE_DIR ${${target}_SOURCE_DIR}/${arg_SUBDIR} CACHE PATH "" FORCE)
  endif()
  target_include_directories(${target} SYSTEM INTERFACE ${${target}_INCLUDE_DIR})
endfunction()

teff_dependency(teff_eigen HEADER Eigen/Core HINTS eigen3
                REPOSITORY https://gitlab.com/libeigen/eigen.git TAG 3.4.0)
teff_dependency(teff_cereal HEADER cereal/cereal.hpp SUBDIR include
                REPOSITORY https://github.com/USCiLab/cereal.git TAG v1.3.2)
teff_dependency(teff_xxhash HEADER xxhash.h
                REPOSITORY https://github.com/Cyan4973/xxHash.git TAG v0.8.1)
