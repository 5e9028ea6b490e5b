# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# TRYALL_VERIFY for request files.

# Has CMake by itself answer a request file, too. The entries that the program's script has set are
# compared with those that CMake sets.
function(_tryall_verify_request _tryall_file _tryall_name _tryall_script)
  file(STRINGS "${_tryall_script}" _tryall_lines REGEX "^set\\([^ ]+ .* CACHE INTERNAL ")
  set(_tryall_names "")
  foreach(_tryall_line IN LISTS _tryall_lines)
    if(_tryall_line MATCHES "^set\\(([^ ]+) ")
      list(APPEND _tryall_names "${CMAKE_MATCH_1}")
    endif()
  endforeach()
  foreach(_tryall_variable IN LISTS _tryall_names)
    set("_tryall_program_${_tryall_variable}" "$CACHE{${_tryall_variable}}")
    unset("${_tryall_variable}" CACHE)
  endforeach()
  _tryall_check_by_cmake("${_tryall_file}" "${_tryall_name}")
  foreach(_tryall_variable IN LISTS _tryall_names)
    if(NOT DEFINED "CACHE{${_tryall_variable}}"
        OR NOT "$CACHE{${_tryall_variable}}" STREQUAL "${_tryall_program_${_tryall_variable}}")
      message(SEND_ERROR "tryall: ${_tryall_variable} of ${_tryall_name} differs. CMake says "
        "\"$CACHE{${_tryall_variable}}\", tryall says \"${_tryall_program_${_tryall_variable}}\". "
        "'tryall check ${_tryall_name}' tells the commands.")
    endif()
  endforeach()
endfunction()
