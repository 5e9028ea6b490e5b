# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Where the program is.

# Its path, or nothing. The first time that it is not there a notice says what it would be good for.
function(_tryall_program result)
  set(program "")
  if(TRYALL_EXECUTABLE AND NOT EXISTS "${TRYALL_EXECUTABLE}")
    # From a package that has been removed, say. What the user has set stays.
    find_program(_TRYALL_ELSEWHERE tryall)
    set(program "${_TRYALL_ELSEWHERE}")
    unset(_TRYALL_ELSEWHERE CACHE)
    set(why "tryall is not at ${TRYALL_EXECUTABLE}, so the checks run one after the other")
  else()
    find_program(TRYALL_EXECUTABLE tryall DOC "The tryall program, which answers compiler checks")
    mark_as_advanced(TRYALL_EXECUTABLE)
    set(program "${TRYALL_EXECUTABLE}")
    set(why "tryall is not installed, so the checks run one after the other \
('cargo install tryall' makes them run at once)")
  endif()
  if(program)
    set(${result} "${program}" PARENT_SCOPE)
    return()
  endif()
  set(${result} "" PARENT_SCOPE)
  get_property(told GLOBAL PROPERTY _TRYALL_TOLD)
  if(NOT told)
    set_property(GLOBAL PROPERTY _TRYALL_TOLD TRUE)
    message(STATUS "${why}")
  endif()
endfunction()
