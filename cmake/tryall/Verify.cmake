# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# TRYALL_VERIFY: every question that tryall is asked is also asked of stock CMake, at the time of
# the call and in its surroundings, and the configure step fails if the answers differ. Only whether
# it compiled, and how a program ended, is compared: outputs tell of other directories.
#
#   _TRYALL_<n>_STOCK         what stock CMake said of question n: TRUE or FALSE, and the exit code
#   _TRYALL_<n>_STOCK_OUTPUT  what its build wrote
#   _TRYALL_<n>_NAME          the result variable, for people

# Asks stock CMake the question number. The code is the arguments of the call, but for the result
# variables.
function(_tryall_verify_by_stock command number arguments)
  set(_tryall_result "_TRYALL_VERIFY_COMPILED")
  set(_tryall_name "${ARGV3}")
  if(command STREQUAL "try_run")
    set(_tryall_result "_TRYALL_VERIFY_RAN _TRYALL_VERIFY_COMPILED")
    set(_tryall_name "${ARGV4}")
  endif()
  if(NOT "${_tryall_variable}" STREQUAL "")
    set(_tryall_name "${_tryall_variable}")
  endif()
  set(_tryall_output_name _tryall_verify_output)
  if(DEFINED _tryall_COMPILE_OUTPUT_VARIABLE)
    set(_tryall_output_name "${_tryall_COMPILE_OUTPUT_VARIABLE}")
  elseif(DEFINED _tryall_OUTPUT_VARIABLE)
    set(_tryall_output_name "${_tryall_OUTPUT_VARIABLE}")
  elseif(command STREQUAL "try_run")
    string(APPEND arguments " COMPILE_OUTPUT_VARIABLE _tryall_verify_output")
  else()
    string(APPEND arguments " OUTPUT_VARIABLE _tryall_verify_output")
  endif()
  set(_tryall_todo stock)
  _tryall_code_for_stock(_tryall_code ${command} " ${_tryall_result}${arguments}")
  unset(_TRYALL_VERIFY_COMPILED CACHE)
  unset(_TRYALL_VERIFY_RAN CACHE)
  set(${_tryall_output_name} "")
  cmake_language(CALL ${_tryall_under})
  set(_tryall_stock FALSE)
  if(_TRYALL_VERIFY_COMPILED)
    set(_tryall_stock TRUE)
    if(command STREQUAL "try_run")
      string(APPEND _tryall_stock " ${_TRYALL_VERIFY_RAN}")
    endif()
  endif()
  unset(_TRYALL_VERIFY_COMPILED CACHE)
  unset(_TRYALL_VERIFY_RAN CACHE)
  set_property(GLOBAL PROPERTY _TRYALL_VERIFIES TRUE)
  set_property(GLOBAL PROPERTY _TRYALL_${number}_STOCK "${_tryall_stock}")
  set_property(GLOBAL PROPERTY _TRYALL_${number}_STOCK_OUTPUT "${${_tryall_output_name}}")
  set_property(GLOBAL PROPERTY _TRYALL_${number}_NAME "${_tryall_name}")
endfunction()

# Compares both answers to a question, when both are there.
function(_tryall_verify number)
  foreach(name IN ITEMS STOCK STOCK_OUTPUT NAME STATUS RAN LOG)
    get_property(${name} GLOBAL PROPERTY _TRYALL_${number}_${name})
  endforeach()
  if("${STOCK}" STREQUAL "" OR NOT "${STATUS}" MATCHES "^(yes|no)$")
    return()
  endif()
  _tryall_count(VERIFIED 1)
  set(ours FALSE)
  if("${STATUS}" STREQUAL "yes")
    string(STRIP "TRUE ${RAN}" ours)
  endif()
  if(NOT "${ours}" STREQUAL "${STOCK}")
    message(SEND_ERROR "tryall: ${NAME} differs. CMake says ${STOCK}, tryall says ${ours}.\n"
      "CMake:\n${STOCK_OUTPUT}\ntryall:\n${LOG}")
  endif()
endfunction()

# Has CMake by itself answer a request file, too. The entries that the program's script has set are
# compared with those that CMake sets.
function(_tryall_verify_request file name script)
  file(STRINGS "${script}" lines REGEX "^set\\([^ ]+ .* CACHE INTERNAL ")
  set(names "")
  foreach(line IN LISTS lines)
    if(line MATCHES "^set\\(([^ ]+) ")
      list(APPEND names "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  foreach(variable IN LISTS names)
    set("program_${variable}" "$CACHE{${variable}}")
    unset("${variable}" CACHE)
  endforeach()
  _tryall_check_by_cmake("${file}" "${name}")
  foreach(variable IN LISTS names)
    if(NOT DEFINED "CACHE{${variable}}" OR NOT "$CACHE{${variable}}" STREQUAL "${program_${variable}}")
      message(SEND_ERROR "tryall: ${variable} of ${name} differs. CMake says "
        "\"$CACHE{${variable}}\", tryall says \"${program_${variable}}\". "
        "'tryall check ${name}' tells the commands.")
    endif()
  endforeach()
endfunction()
