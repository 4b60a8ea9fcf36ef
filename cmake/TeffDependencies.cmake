# SPDX-License-Identifier: MIT
# Header-only libraries that the sources need; none of them reaches a consumer. What is installed comes first, a
# download of one release, checked by its hash, is the fallback.
include(TeffDependency)
find_package(Threads REQUIRED)

function(teff_add_eigen)
  teff_dependency(teff_eigen HEADER Eigen/Core HINTS eigen3
    URL https://gitlab.com/libeigen/eigen/-/archive/3.4.0/eigen-3.4.0.tar.bz2
    SHA256 b4c198460eba6f28d34894e3a5710998818515104d6e74e5cc331ce31e46e626)
  # Since 5.0 the version is in a file of its own; before, it had a number in front of what is called major.
  set(folder ${teff_eigen_INCLUDE_DIR}/Eigen)
  if(EXISTS ${folder}/Version)
    teff_read_version(version ${folder}/Version EIGEN MAJOR MINOR)
  else()
    teff_read_version(version ${folder}/src/Core/util/Macros.h EIGEN WORLD MAJOR MINOR)
  endif()
  if(version VERSION_LESS 3.4 OR version VERSION_GREATER_EQUAL 5.1)
    message(FATAL_ERROR "Eigen: expected a version from 3.4 to 5.0, got ${version} in ${teff_eigen_INCLUDE_DIR}: the \
kernels use parts of it that change. -Dteff_eigen_INCLUDE_DIR=<folder with Eigen/Core> names another")
  endif()
endfunction()

function(teff_add_cli11)
  teff_dependency(teff_cli11 HEADER CLI/CLI.hpp SUBDIR include
    URL https://github.com/CLIUtils/CLI11/archive/v2.1.2.tar.gz
    SHA256 26291377e892ba0e5b4972cdfd4a2ab3bf53af8dac1f4ea8fe0d1376b625c8cb)
endfunction()

function(teff_add_json)
  teff_dependency(teff_json HEADER nlohmann/json.hpp SUBDIR include
    URL https://github.com/nlohmann/json/releases/download/v3.11.2/json.tar.xz
    SHA256 8c4b26bf4b422252e13f332bc5e388ec0ab5c3443d24399acb675e68278d341f)
endfunction()

function(teff_add_doctest)
  teff_dependency(teff_doctest HEADER doctest/doctest.h
    URL https://github.com/doctest/doctest/archive/v2.4.9.tar.gz
    SHA256 19b2df757f2f3703a5e63cee553d85596875f06d91a3333acd80a969ef210856)
endfunction()

teff_add_eigen()
teff_dependency(teff_cereal HEADER cereal/cereal.hpp SUBDIR include
  URL https://github.com/USCiLab/cereal/archive/v1.3.2.tar.gz
  SHA256 16a7ad9b31ba5880dac55d62b5d6f243c3ebc8d46a3514149e56b5e7ea81f85f)
teff_dependency(teff_xxhash HEADER xxhash.h
  URL https://github.com/Cyan4973/xxHash/archive/v0.8.1.tar.gz
  SHA256 3bb6b7d6f30c591dd65aaaff1c8b7a5b94d81687998ca9400082c739a690436c)
