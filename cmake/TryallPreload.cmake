# SPDX-License-Identifier: Apache-2.0 OR MIT
# `tryall cmake` passes this as the last initial cache file, when the cache of the build directory,
# the preset and the arguments have all been applied. It makes the drop-in the file that project()
# includes. A file that the user had there goes to TRYALL_PROJECT_INCLUDE, from where the drop-in
# includes it.

cmake_policy(VERSION 3.16...4.0)

# CMake warns about variables of the command line that nobody reads. A project may have no
# languages, and the drop-in then has no use for the program.
set(_tryall_executable "${TRYALL_EXECUTABLE}")

set(_tryall_name "(^|[/\\])TryallDropIn\\.cmake$")
set(_tryall_theirs "$CACHE{CMAKE_PROJECT_INCLUDE}")
set(_tryall_others "${_tryall_theirs}")
list(FILTER _tryall_others EXCLUDE REGEX "${_tryall_name}")
if(NOT _tryall_others STREQUAL "")
  set(TRYALL_PROJECT_INCLUDE "${_tryall_others}" CACHE INTERNAL
    "CMAKE_PROJECT_INCLUDE as it was before tryall")
elseif(_tryall_theirs STREQUAL "")
  unset(TRYALL_PROJECT_INCLUDE CACHE)
endif()
# The remaining value is a drop-in, of this version or another: an earlier call has put it there,
# with the user's file, which stays.

# The drop-in may go while the build directory stays, as when a container starts with another home. So
# project() includes a file of the build directory.
set(_tryall_file "${CMAKE_BINARY_DIR}/CMakeFiles/tryall/TryallDropIn.cmake")
file(WRITE "${_tryall_file}" "# Written by `tryall cmake`.
if(EXISTS [==[${CMAKE_CURRENT_LIST_DIR}/TryallDropIn.cmake]==])
  include([==[${CMAKE_CURRENT_LIST_DIR}/TryallDropIn.cmake]==] NO_POLICY_SCOPE)
else()
  foreach(_tryall_file IN LISTS TRYALL_PROJECT_INCLUDE)
    include(\"\${_tryall_file}\" NO_POLICY_SCOPE)
  endforeach()
  unset(_tryall_file)
endif()
")
set(CMAKE_PROJECT_INCLUDE "${_tryall_file}" CACHE FILEPATH "The drop-in of tryall" FORCE)
