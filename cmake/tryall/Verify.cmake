# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# TRYALL_VERIFY for request files.

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
