# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Code that runs under policies that are found out only when it runs.
#
# To set them with cmake_policy where the code is run would not do: what a function sets is set for
# its callers, too, up to the next PUSH; and after a PUSH a fatal error leaves no way to the POP. But
# a macro runs under the policies of its definition, and has no scope of its own.

# The name of a macro that runs the code in _tryall_code under these policies: a list such as
# 0066=NEW, with OLD or nothing in place of NEW. Those that are not in it are as few as can be.
function(_tryall_under_policies _tryall_result _tryall_policies)
  string(REPLACE ";" "," _tryall_name "_tryall_under_${_tryall_policies}")
  set(${_tryall_result} "${_tryall_name}" PARENT_SCOPE)
  if(COMMAND "${_tryall_name}")
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
  foreach(_tryall_policy IN LISTS _tryall_policies)
    string(REGEX MATCH "^([0-9]+)=(.*)$" _tryall_policy "${_tryall_policy}")
    set(_tryall_number "${CMAKE_MATCH_1}")
    set(_tryall_value "${CMAKE_MATCH_2}")
    cmake_policy(GET CMP${_tryall_number} _tryall_is)
    if(_tryall_value STREQUAL "NEW")
      cmake_policy(SET CMP${_tryall_number} NEW)
    elseif((_tryall_value STREQUAL "OLD" OR _tryall_is STREQUAL "NEW")
        AND NOT (_tryall_number MATCHES "^00(56|65)$" AND NOT CMAKE_VERSION VERSION_LESS 4))
      # What is unset for the caller and cannot be here is OLD but for a warning. To say OLD is
      # deprecated, which the project has been told or need not know.
      if(CMAKE_VERSION VERSION_LESS 3.25)
        _tryall_set_old_policy(CMP${_tryall_number})
      elseif(CMAKE_VERSION VERSION_LESS 4.4)
        set(CMAKE_WARN_DEPRECATED FALSE)
        cmake_policy(SET CMP${_tryall_number} OLD)
      else()
        cmake_policy(SET CMP0218 NEW)
        cmake_diagnostic(PUSH)
        cmake_diagnostic(SET CMD_DEPRECATED IGNORE)
        cmake_policy(SET CMP${_tryall_number} OLD)
        cmake_diagnostic(POP)
      endif()
    endif()
  endforeach()
  cmake_language(EVAL CODE "macro([[${_tryall_name}]])
  cmake_language(EVAL CODE \"\${_tryall_code}\")
endmacro()")
  cmake_policy(POP)
endfunction()

# Sets a policy to OLD without a warning in CMake before 3.25, which asks nobody but the cache, and this
# only when it is written.
macro(_tryall_set_old_policy _tryall_policy_name)
  get_property(_tryall_warns CACHE CMAKE_WARN_DEPRECATED PROPERTY VALUE)
  get_property(_tryall_type CACHE CMAKE_WARN_DEPRECATED PROPERTY TYPE)
  get_property(_tryall_help CACHE CMAKE_WARN_DEPRECATED PROPERTY HELPSTRING)
  set(CMAKE_WARN_DEPRECATED FALSE CACHE BOOL "" FORCE)
  cmake_policy(SET ${_tryall_policy_name} OLD)
  if(_tryall_type)
    set(CMAKE_WARN_DEPRECATED "${_tryall_warns}" CACHE ${_tryall_type} "${_tryall_help}" FORCE)
  else()
    set(CMAKE_WARN_DEPRECATED TRUE CACHE BOOL "" FORCE)
    unset(CMAKE_WARN_DEPRECATED CACHE)
  endif()
endmacro()

# One argument as code, whatever is in it; also in a macro, which would put something in the place
# of \${ARGV}.
function(_tryall_quote _tryall_result _tryall_text)
  string(FIND "${_tryall_text}" "]==========]" _tryall_found)
  if(_tryall_found EQUAL -1 AND NOT _tryall_text MATCHES "\r|]$")
    set(${_tryall_result} " [==========[\n${_tryall_text}]==========]" PARENT_SCOPE)
  else()
    string(REGEX REPLACE "([\\\"$@{])" "\\\\\\1" _tryall_text "${_tryall_text}")
    string(REPLACE "\r" "\\r" _tryall_text "${_tryall_text}")
    set(${_tryall_result} " \"${_tryall_text}\"" PARENT_SCOPE)
  endif()
endfunction()
