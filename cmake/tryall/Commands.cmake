# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# try_compile and try_run: functions in their place.

# Puts functions in the place of the commands, which are then called _try_compile and _try_run.
function(_tryall_override_commands)
  if(COMMAND _try_compile)
    return()
  endif()
  # Those that try_compile asks for; of CMake 3.20 to 4.4. A loop in the function itself would
  # take a tenth of its time.
  set(GET_POLICIES "")
  set(POLICIES "")
  foreach(policy IN ITEMS 0056 0066 0067 0083 0104 0126 0128 0137 0155 0157 0181 0210 0214)
    if(POLICY CMP${policy})
      string(APPEND GET_POLICIES
        "    cmake_policy(GET CMP${policy} _tryall_${policy} PARENT_SCOPE)\n")
      list(APPEND POLICIES "${policy}=\${_tryall_${policy}}")
    endif()
  endforeach()
  file(READ "${CMAKE_CURRENT_FUNCTION_LIST_DIR}/Override.cmake.in" text)
  cmake_policy(PUSH)
  foreach(COMMAND IN ITEMS try_compile try_run)
    # The place of the last result variable.
    set(RESULTS 0)
    if("${COMMAND}" STREQUAL "try_run")
      set(RESULTS 1)
    endif()
    string(CONFIGURE "${text}" code @ONLY)
    cmake_language(EVAL CODE "${code}")
  endforeach()
  cmake_policy(POP)
endfunction()
