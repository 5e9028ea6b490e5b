# SPDX-License-Identifier: Apache-2.0 OR MIT
# What find_package(Tryall <version>) reads. As with Cargo, versions are compatible if their first
# nonzero numbers match.

# The program writes Version.cmake beside its copies of the modules. In the source tree the version
# stands in Cargo.toml alone. Other copies of the modules have none, and match only requests
# without a version.
set(PACKAGE_VERSION unknown)
if(EXISTS "${CMAKE_CURRENT_LIST_DIR}/tryall/Version.cmake")
  include("${CMAKE_CURRENT_LIST_DIR}/tryall/Version.cmake")
elseif(EXISTS "${CMAKE_CURRENT_LIST_DIR}/../Cargo.toml")
  file(READ "${CMAKE_CURRENT_LIST_DIR}/../Cargo.toml" _tryall_text)
  if(_tryall_text MATCHES "^\\[package\\]\nname = \"tryall\"\nversion = \"([0-9.]+)")
    set(PACKAGE_VERSION "${CMAKE_MATCH_1}")
  endif()
endif()

set(PACKAGE_VERSION_EXACT FALSE)
set(PACKAGE_VERSION_COMPATIBLE FALSE)
if(PACKAGE_VERSION MATCHES "^[0-9]" AND NOT PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION)
  if(PACKAGE_FIND_VERSION_RANGE)
    if(PACKAGE_VERSION VERSION_LESS PACKAGE_FIND_VERSION_MAX
        OR (PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION_MAX
          AND PACKAGE_FIND_VERSION_RANGE_MAX MATCHES "^INCLUDE$"))
      set(PACKAGE_VERSION_COMPATIBLE TRUE)
    endif()
  else()
    string(REGEX MATCH "^(0\\.)*[0-9]+" _tryall_series "${PACKAGE_FIND_VERSION}")
    string(FIND "${PACKAGE_VERSION}." "${_tryall_series}." _tryall_place)
    if(_tryall_place EQUAL 0)
      set(PACKAGE_VERSION_COMPATIBLE TRUE)
    endif()
    if(PACKAGE_VERSION VERSION_EQUAL PACKAGE_FIND_VERSION)
      set(PACKAGE_VERSION_EXACT TRUE)
    endif()
  endif()
endif()
