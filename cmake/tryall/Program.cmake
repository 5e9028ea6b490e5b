# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Where the program is.

# Its path, or nothing. The first time that it is not there a notice says what it would be good for.
function(_tryall_program _tryall_result)
  set(_tryall_program "")
  if(TRYALL_EXECUTABLE AND NOT EXISTS "${TRYALL_EXECUTABLE}")
    # From a package that has been removed, say. What the user has set stays.
    find_program(_TRYALL_ELSEWHERE tryall)
    set(_tryall_program "${_TRYALL_ELSEWHERE}")
    unset(_TRYALL_ELSEWHERE CACHE)
    set(_tryall_why "tryall is not at ${TRYALL_EXECUTABLE}, so the checks run one after the other")
  else()
    find_program(TRYALL_EXECUTABLE tryall DOC "The tryall program, which answers compiler checks")
    mark_as_advanced(TRYALL_EXECUTABLE)
    set(_tryall_program "${TRYALL_EXECUTABLE}")
    set(_tryall_why "tryall is not installed, so the checks run one after the other \
('cargo install tryall' answers them faster)")
  endif()
  if(_tryall_program)
    set(${_tryall_result} "${_tryall_program}" PARENT_SCOPE)
    return()
  endif()
  set(${_tryall_result} "" PARENT_SCOPE)
  _tryall_tell_once("${_tryall_why}")
endfunction()
