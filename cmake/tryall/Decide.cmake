# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# What becomes of a call of try_compile or try_run.

# What to do with a call, in _tryall_todo of the caller:
#   note    nothing more: it is written down, or given up on
#   answer  say what the batch found for check _tryall_number
#   recipe  let stock CMake answer, and learn its recipe
#   stock   let stock CMake answer
#
# The caller has parsed the call's arguments to _tryall_<KEYWORD>. Here are the first of them, as
# far as there are argc.
function(_tryall_decide command argc a0 a1 a2 a3 a4)
  set(_tryall_todo stock PARENT_SCOPE)
  get_property(door_open GLOBAL PROPERTY _TRYALL_ON)
  if(NOT door_open)
    return()
  endif()
  if(NOT _tryall_is_check)
    # A command that has not been taken over, or the project's own call.
    _tryall_take_over_checks()
  endif()
  set(why "")
  set(emptied "")
  set(toolchain "")
  if(argc LESS 3 OR DEFINED CMAKE_LINKER_TYPE
      OR NOT "${command},${_tryall_is_check},${CMAKE_POLICY_WARNING_CMP0056}${CMAKE_POLICY_WARNING_CMP0066}${CMAKE_POLICY_WARNING_CMP0067}"
        STREQUAL "try_compile,TRUE,")
    # In all other calls there is nothing that it could find.
    _tryall_read_arguments()
  endif()
  if("${why}" STREQUAL "")
    _tryall_read_text()
    if(NOT is_text)
      _tryall_read_source()
    endif()
  endif()
  if("${why}" STREQUAL "")
    set(options "")
    if("${_tryall_COMPILE_DEFINITIONS}" MATCHES "^(-D[A-Za-z_][A-Za-z0-9_]*)?$")
      # One or none: it is what would be read.
      set(definitions "${_tryall_COMPILE_DEFINITIONS}")
    else()
      _tryall_read_definitions()
    endif()
  endif()
  if("${why}" STREQUAL "")
    _tryall_recall_toolchain()
    if(toolchain STREQUAL "")
      _tryall_read_keys()
      if("${why}" STREQUAL "")
        _tryall_find_recipe()
      endif()
    endif()
  endif()
  if(_tryall_mode STREQUAL "note")
    set(variable "${a0}")
    if(command STREQUAL "try_run")
      set(variable "${a1}")
    endif()
    set(${variable} FALSE CACHE INTERNAL "Result of TRY_COMPILE")
    set(_tryall_todo note PARENT_SCOPE)
  endif()
  if(NOT toolchain STREQUAL "")
    # A call that is understood and has its recipe.
    set(is_library FALSE)
  elseif(_tryall_mode STREQUAL "note" AND (NOT "${why}" STREQUAL "" OR "${recipe}" STREQUAL ""))
    return()
  elseif(NOT "${why}" STREQUAL "")
    _tryall_count_stock("${why}")
    return()
  elseif("${recipe}" STREQUAL "")
    foreach(name IN ITEMS key compile_key link_key own_link_key library language extension path
        is_library definitions options flags)
      set(_tryall_${name} "${${name}}" PARENT_SCOPE)
    endforeach()
    set(_tryall_todo recipe PARENT_SCOPE)
    return()
  endif()

  _tryall_keep_environment()
  get_property(number GLOBAL PROPERTY _TRYALL_COUNTER)
  math(EXPR number "0${number} + 1")
  set_property(GLOBAL PROPERTY _TRYALL_COUNTER ${number})
  if(toolchain STREQUAL "")
    _tryall_write_toolchain()
  endif()
  _tryall_write_request()
  set(_tryall_asked ${number} PARENT_SCOPE)
  if(_tryall_mode STREQUAL "note")
    get_property(noted GLOBAL PROPERTY _TRYALL_NOTED)
    if("${noted}" STREQUAL "")
      set_property(GLOBAL PROPERTY _TRYALL_NOTED ${number})
      set_property(GLOBAL PROPERTY _TRYALL_${number}_RESULT "${a0}")
    else()
      # One answer is all that a second pass gets.
      set_property(GLOBAL PROPERTY _TRYALL_NOTED several)
    endif()
  else()
    _tryall_settle_impatient(${number})
    get_property(status GLOBAL PROPERTY _TRYALL_${number}_STATUS)
    if(NOT emptied STREQUAL "" AND status MATCHES "^(yes|no)$")
      # As stock CMake, which otherwise is asked after all and does it itself.
      file(REMOVE_RECURSE "${emptied}")
      file(MAKE_DIRECTORY "${emptied}")
    endif()
    set(_tryall_number ${number} PARENT_SCOPE)
    set(_tryall_todo answer PARENT_SCOPE)
  endif()
endfunction()
