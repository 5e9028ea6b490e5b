# SPDX-License-Identifier: Apache-2.0 OR MIT
# `tryall cmake` passes this as the last initial cache file, when the cache of the build directory,
# the preset and the arguments have all been applied. It makes the drop-in a file that project()
# includes. Files that the user had there go to TRYALL_PROJECT_INCLUDE and
# TRYALL_PROJECT_INCLUDE_BEFORE, from where the drop-in includes them.

cmake_policy(VERSION 3.16...4.0)

# CMake warns about variables of the command line that nobody reads. A project may have no
# languages, and the drop-in then has no use for the program.
set(_tryall_executable "${TRYALL_EXECUTABLE}")

# Puts a file of ours in the place of those that project() includes for a variable.
function(_tryall_hook _tryall_variable _tryall_theirs _tryall_ours)
  set(_tryall_others "$CACHE{${_tryall_variable}}")
  list(FILTER _tryall_others EXCLUDE REGEX "(^|[/\\])${_tryall_ours}$")
  if(NOT _tryall_others STREQUAL "")
    set(${_tryall_theirs} "${_tryall_others}" CACHE INTERNAL
      "${_tryall_variable} as it was before tryall")
  elseif("$CACHE{${_tryall_variable}}" STREQUAL "")
    unset(${_tryall_theirs} CACHE)
  endif()
  # The remaining value is a file of ours, of this version or another: an earlier call has put it there,
  # with the user's files, which stay.

  # Our files may go while the build directory stays, as when a container starts with another home. So
  # project() includes a file of the build directory.
  set(_tryall_file "${CMAKE_BINARY_DIR}/CMakeFiles/tryall/${_tryall_ours}")
  file(WRITE "${_tryall_file}" "# Written by `tryall cmake`.
if(EXISTS [==[${CMAKE_CURRENT_LIST_DIR}/${_tryall_ours}]==])
  include([==[${CMAKE_CURRENT_LIST_DIR}/${_tryall_ours}]==] NO_POLICY_SCOPE)
else()
  foreach(_tryall_file IN LISTS ${_tryall_theirs})
    include(\"\${_tryall_file}\" NO_POLICY_SCOPE)
  endforeach()
  unset(_tryall_file)
endif()
")
  set(${_tryall_variable} "${_tryall_file}" CACHE FILEPATH "The drop-in of tryall" FORCE)
endfunction()

_tryall_hook(CMAKE_PROJECT_INCLUDE_BEFORE TRYALL_PROJECT_INCLUDE_BEFORE TryallBefore.cmake)
_tryall_hook(CMAKE_PROJECT_INCLUDE TRYALL_PROJECT_INCLUDE TryallDropIn.cmake)
