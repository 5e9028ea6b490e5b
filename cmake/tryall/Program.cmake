# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Where the program is.

# Its path, or nothing. The first time that it is not there a notice says what it would be good for.
function(_tryall_program result)
  set(${result} "" PARENT_SCOPE)
  if(TRYALL_EXECUTABLE AND NOT EXISTS "${TRYALL_EXECUTABLE}")
    # From a package that has been removed, or from another machine.
    unset(TRYALL_EXECUTABLE CACHE)
  endif()
  find_program(TRYALL_EXECUTABLE tryall DOC "The tryall program, which answers compiler checks")
  mark_as_advanced(TRYALL_EXECUTABLE)
  if(TRYALL_EXECUTABLE)
    set(${result} "${TRYALL_EXECUTABLE}" PARENT_SCOPE)
    return()
  endif()
  get_property(told GLOBAL PROPERTY _TRYALL_TOLD)
  if(NOT told)
    set_property(GLOBAL PROPERTY _TRYALL_TOLD TRUE)
    message(STATUS "tryall is not installed, so the checks run one after the other "
      "('cargo install tryall' makes them run at once)")
  endif()
endfunction()
