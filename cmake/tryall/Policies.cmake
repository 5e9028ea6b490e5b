# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Code that runs under policies that are found out only when it runs.
#
# To set them with cmake_policy where the code is run would not do: what a function sets is set for
# its callers, too, up to the next PUSH; and after a PUSH a fatal error leaves no way to the POP. But
# a macro runs under the policies of its definition, and has no scope of its own.

# The name of a macro that runs the code in _tryall_code under these policies: a list such as
# 0066=NEW, with OLD or nothing in place of NEW. Those that are not in it are as few as can be.
#
# With _2 and _3 behind the "under" of its name, it is a macro that runs the command in _tryall_code
# with the arguments _tryall_0, _tryall_1 and, if they are three, _tryall_2. To call a command takes
# less time than to run code, of which CMake also says that a list file begins (see Waiting.cmake).
function(_tryall_under_policies result policies)
  # Check.cmake.in makes the name for a single policy by itself, to save this call.
  string(REPLACE ";" "," name "_tryall_under_${policies}")
  set(${result} "${name}" PARENT_SCOPE)
  if(COMMAND "${name}")
    return()
  endif()
  cmake_policy(PUSH)
  # The oldest that this CMake takes without a word. What is unset there can be set below, and
  # unset is not OLD: it warns.
  if(CMAKE_VERSION VERSION_LESS 3.27)
    cmake_policy(VERSION 2.8.12)
  elseif(CMAKE_VERSION VERSION_LESS 3.31)
    cmake_policy(VERSION 3.5)
  endif()
  cmake_policy(SET CMP0053 NEW)
  cmake_policy(SET CMP0054 NEW)
  cmake_policy(SET CMP0057 NEW)
  foreach(policy IN LISTS policies)
    string(REGEX MATCH "^([0-9]+)=(.*)$" policy "${policy}")
    set(number "${CMAKE_MATCH_1}")
    set(value "${CMAKE_MATCH_2}")
    cmake_policy(GET CMP${number} is)
    if(value STREQUAL "NEW")
      cmake_policy(SET CMP${number} NEW)
    elseif((value STREQUAL "OLD" OR is STREQUAL "NEW")
        AND NOT (number STREQUAL "0056" AND NOT CMAKE_VERSION VERSION_LESS 4))
      # What is unset for the caller and cannot be here is OLD but for a warning. To say OLD is
      # deprecated, which the project has been told or need not know.
      if(CMAKE_VERSION VERSION_LESS 4.4)
        set(CMAKE_WARN_DEPRECATED FALSE)
        cmake_policy(SET CMP${number} OLD)
      else()
        cmake_policy(SET CMP0218 NEW)
        cmake_diagnostic(PUSH)
        cmake_diagnostic(SET CMD_DEPRECATED IGNORE)
        cmake_policy(SET CMP${number} OLD)
        cmake_diagnostic(POP)
      endif()
    endif()
  endforeach()
  string(REPLACE "_under_" "_under_2_" name_for_two "${name}")
  string(REPLACE "_under_" "_under_3_" name_for_three "${name}")
  cmake_language(EVAL CODE "macro([[${name}]])
  cmake_language(EVAL CODE \"\${_tryall_code}\")
endmacro()
macro([[${name_for_two}]])
  cmake_language(CALL \"\${_tryall_code}\" \"\${_tryall_0}\" \"\${_tryall_1}\")
endmacro()
macro([[${name_for_three}]])
  cmake_language(CALL \"\${_tryall_code}\" \"\${_tryall_0}\" \"\${_tryall_1}\" \"\${_tryall_2}\")
endmacro()")
  cmake_policy(POP)
endfunction()
