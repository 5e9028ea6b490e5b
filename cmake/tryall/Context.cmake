# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# What the second pass of a check reads and what may have changed since the first: its context.
#
# Most checks have the same context as one before. So the code that sets one is a macro that is made
# once and found again by the values. The code by itself, for each check, would be a loop over all of
# these variables and would have to be parsed again.

# The variables.
function(_tryall_context_names result)
  set(${result}
    CMAKE_REQUIRED_QUIET CMAKE_REQUIRED_FLAGS CMAKE_REQUIRED_DEFINITIONS CMAKE_REQUIRED_INCLUDES
    CMAKE_REQUIRED_LINK_OPTIONS CMAKE_REQUIRED_LIBRARIES CMAKE_REQUIRED_LINK_DIRECTORIES
    CMAKE_EXTRA_INCLUDE_FILES CMAKE_MESSAGE_INDENT CMAKE_MESSAGE_CONTEXT
    CMAKE_C_FLAGS CMAKE_CXX_FLAGS CMAKE_Fortran_FLAGS CMAKE_OBJC_FLAGS CMAKE_OBJCXX_FLAGS
    _tryall_cmp0075
    PARENT_SCOPE)
endfunction()

# The name of a macro that sets all of them to what they are.
function(_tryall_context result)
  set(values "")
  if(COMMAND _tryall_read_context)
    _tryall_read_context(values)
  endif()
  if(values STREQUAL "")
    _tryall_keep_defined()
    _tryall_read_context(values)
  endif()
  string(MD5 hash "${values}")
  if(NOT COMMAND _tryall_context_${hash})
    _tryall_context_names(names)
    _tryall_code_for_variables(code ${names})
    if(NOT _tryall_cmp0075 STREQUAL "NEW")
      # If CMP0075 warns, it did so in the first pass.
      string(APPEND code "set(_CIF_CMP0075_WARNED 1)\n")
    endif()
    cmake_language(EVAL CODE "macro(_tryall_context_${hash})\n${code}endmacro()")
  endif()
  set(${result} "_tryall_context_${hash}" PARENT_SCOPE)
endfunction()

# Notes which of them are defined: an empty variable is another context than none. Makes the
# function that, if the same ones are, sets its argument to all values, with a byte between them that
# no text has, behind a word for those that are defined.
function(_tryall_keep_defined)
  _tryall_context_names(names)
  set(defined "")
  set(condition "TRUE")
  foreach(name IN LISTS names)
    if(DEFINED ${name})
      string(APPEND defined 1)
      string(APPEND condition " AND DEFINED ${name}")
    else()
      string(APPEND defined 0)
      string(APPEND condition " AND NOT DEFINED ${name}")
    endif()
  endforeach()
  string(ASCII 1 separator)
  list(JOIN names "}${separator}\${" text)
  cmake_language(EVAL CODE "function(_tryall_read_context result)
    if(${condition})
      set(\${result} \"${defined}\${${text}}\" PARENT_SCOPE)
    endif()
  endfunction()")
endfunction()
