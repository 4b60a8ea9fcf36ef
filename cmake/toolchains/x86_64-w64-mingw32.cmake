# SPDX-License-Identifier: MIT
# For 64-bit Windows, by Debian's cross compiler (package g++-mingw-w64-x86-64-posix):
#   cmake -S . -B build/windows --toolchain cmake/toolchains/x86_64-w64-mingw32.cmake
# The header-only libraries are taken from folders that hold nothing else: -Dteff_cereal_INCLUDE_DIR=... and so on, or
# CMAKE_PREFIX_PATH; /usr/include would put the headers of another C library before those of mingw.
# Where there is wine (package wine64), tests and examples run: -DCMAKE_CROSSCOMPILING_EMULATOR=wine64
set(CMAKE_SYSTEM_NAME Windows)
set(CMAKE_SYSTEM_PROCESSOR x86_64)
set(CMAKE_C_COMPILER x86_64-w64-mingw32-gcc-posix)
set(CMAKE_CXX_COMPILER x86_64-w64-mingw32-g++-posix)
set(CMAKE_RC_COMPILER x86_64-w64-mingw32-windres)

# Programs are of this machine; libraries and headers of the other.
set(CMAKE_FIND_ROOT_PATH /usr/x86_64-w64-mingw32)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# Programs that need no library of the compiler beside them.
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)
