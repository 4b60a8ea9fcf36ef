# SPDX-License-Identifier: MIT
# Library, public headers, CMake package and pkg-config file.
include(CMakePackageConfigHelpers)

set(TEFF_CMAKE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/teff)
install(TARGETS teff EXPORT teffTargets FILE_SET HEADERS)
if(TEFF_WITH_MPI)
  install(TARGETS teff_distributed EXPORT teffTargets FILE_SET HEADERS)
endif()
install(EXPORT teffTargets NAMESPACE teff:: DESTINATION ${TEFF_CMAKE_DIR})

if(TEFF_BUILD_CLI)
  install(TARGETS teff_cli)
endif()

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/teffConfig.cmake.in ${PROJECT_BINARY_DIR}/teffConfig.cmake
                              INSTALL_DESTINATION ${TEFF_CMAKE_DIR})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/teffConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/teffConfig.cmake ${PROJECT_BINARY_DIR}/teffConfigVersion.cmake
        DESTINATION ${TEFF_CMAKE_DIR})

configure_file(${PROJECT_SOURCE_DIR}/cmake/teff.pc.in ${PROJECT_BINARY_DIR}/teff.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/teff.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
