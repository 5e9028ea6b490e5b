# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# The question that comes next, asked beside one that would have only one core.
#
# Some projects ask for headers one after the other, each together with those that were found before:
#
#   macro(check_header header variable)
#     check_include_files("${headers};${header}" ${variable})
#     if(${variable}) ...
#
# No two of these can be asked at once. But where such a question has come after another one, the list
# file mostly tells what follows it if the answer is yes. That is compiled beside it, and counts
# only if it is what is then asked in fact, byte for byte: both commands, the source, and the
# environment, with the same compiler. Nobody is to be able to change the answer in between, and so
# neither command may name a file or a directory: what is found is found in the compiler's own.
#
# Rejected: other kinds of checks, which depend on answers in ways that nobody can see in a text; and
# a guess for the case that the answer is no, which is the rarer one.
#
#   _TRYALL_CHAIN       the headers of the last question that was asked alone, with a ; at its end
#   _TRYALL_GUESS       the question that was guessed, as _tryall_question says it
#   _TRYALL_NEXT_<v>    by the variable of a check, the header of the call that follows it in its list
#                       file; and _TRYALL_NEXT_READ_<f>, which of these were looked into
#   _TRYALL_guess_...   the answer to it, as for a check that was asked

# Makes a guess at what follows the question number, and sets check to it, in the request's form; or
# to nothing.
function(_tryall_guess number check)
  set(${check} "" PARENT_SCOPE)
  set_property(GLOBAL PROPERTY _TRYALL_GUESS "")
  get_property(chain GLOBAL PROPERTY _TRYALL_CHAIN)
  get_property(call GLOBAL PROPERTY _TRYALL_${number}_CALL)
  get_property(headers GLOBAL PROPERTY _TRYALL_${number}_0)
  get_property(variable GLOBAL PROPERTY _TRYALL_${number}_1)
  if(NOT "${call}" STREQUAL "_check_include_files" OR NOT "${variable}" MATCHES "^[A-Za-z0-9_]+$"
      OR NOT "${headers}" MATCHES "^([^]\n]*;)([^];\n]+)$")
    set_property(GLOBAL PROPERTY _TRYALL_CHAIN "")
    return()
  endif()
  set(before "${CMAKE_MATCH_1}")
  set(header "${CMAKE_MATCH_2}")
  set_property(GLOBAL PROPERTY _TRYALL_CHAIN "${before}${header};")
  string(FIND "${chain}" "${before}" place)
  string(FIND "${before}" "${chain}" other_place)
  if("${chain}" STREQUAL "" OR NOT (place EQUAL 0 OR other_place EQUAL 0))
    # It does not go on where the last one has ended.
    return()
  endif()
  _tryall_next_header(next "${variable}")
  _tryall_read_question(${number})
  _tryall_environment_text(environment)
  get_property(kept GLOBAL PROPERTY _TRYALL_ENVIRONMENT)
  if("${next}" STREQUAL "" OR NOT "${environment}" STREQUAL "${kept}")
    return()
  endif()
  string(REPLACE "#include <${header}>\\n" "#include <${header}>\\n#include <${next}>\\n" asked "${asked}")
  _tryall_names_nothing(names_nothing "${asked_with}" "${asked}")
  if(NOT names_nothing)
    return()
  endif()
  _tryall_question(question)
  set_property(GLOBAL PROPERTY _TRYALL_GUESS "${question}")
  set(${check} "${asked}" PARENT_SCOPE)
endfunction()

# Takes the answer to the guess for the question number, if that is what was guessed. A guess is at
# the next question, and is forgotten then.
function(_tryall_take_guess result number)
  set(${result} FALSE PARENT_SCOPE)
  get_property(guess GLOBAL PROPERTY _TRYALL_GUESS)
  if("${guess}" STREQUAL "")
    return()
  endif()
  set_property(GLOBAL PROPERTY _TRYALL_GUESS "")
  _tryall_read_question(${number})
  _tryall_question(question)
  get_property(status GLOBAL PROPERTY _TRYALL_guess_STATUS)
  get_property(directory GLOBAL PROPERTY _TRYALL_DIRECTORY)
  if(NOT "${question}" STREQUAL "${guess}" OR NOT "${status}" MATCHES "^(yes|no)$"
      # In the same second, to a file of the same size.
      OR "${compiler}" IS_NEWER_THAN "${directory}/answers.cmake")
    return()
  endif()
  foreach(name IN ITEMS STATUS OUTPUT LOG)
    get_property(text GLOBAL PROPERTY _TRYALL_guess_${name})
    set_property(GLOBAL PROPERTY _TRYALL_${number}_${name} "${text}")
  endforeach()
  set(${result} TRUE PARENT_SCOPE)
endfunction()

# Sets asked to the question number, by the name of a guess, and asked_with to its toolchain.
macro(_tryall_read_question number)
  get_property(asked GLOBAL PROPERTY _TRYALL_${number}_CHECK)
  string(REPLACE "{\"id\":\"_tryall_${number}\"," "{\"id\":\"_tryall_guess\"," asked "${asked}")
  get_property(toolchain GLOBAL PROPERTY _TRYALL_${number}_TOOLCHAIN)
  get_property(asked_with GLOBAL PROPERTY _TRYALL_TOOLCHAIN_${toolchain})
endmacro()

# All that the answer to asked, with asked_with, depends on, as one text.
macro(_tryall_question result)
  # A batch runs in the environment that was kept, whatever it is now.
  get_property(environment GLOBAL PROPERTY _TRYALL_ENVIRONMENT)
  set(compiler "")
  set(changed "")
  set(size "")
  if(asked_with MATCHES "\"compile\":\\[\"([^\"]+)\"")
    set(compiler "${CMAKE_MATCH_1}")
  endif()
  if(EXISTS "${compiler}")
    file(TIMESTAMP "${compiler}" changed "%s")
    file(SIZE "${compiler}" size)
  endif()
  set(${result} "${asked_with}\n${asked}\n${environment}\n${changed} ${size}")
endmacro()

# Whether the commands of a toolchain name nothing but the compiler, and a check no header by its
# place; and the environment names no directories either.
function(_tryall_names_nothing result toolchain check)
  set(word "\"(-[co]|-pipe|-pthread|-ansi|-pedantic|-rdynamic|-W[a-z][a-z0-9=+-]*|-f[a-z-]+|-O[0-9a-z]?|-g[0-9]?|-std=[a-z0-9+]+|-D[A-Za-z0-9_]+(=[A-Za-z0-9_]*)?|-Wl,--gc-sections|-Wl,--as-needed|{[a-z]+})\"")
  string(REGEX REPLACE ",${word}" "" rest "${toolchain}")
  set(${result} FALSE PARENT_SCOPE)
  if("$ENV{CPATH}$ENV{C_INCLUDE_PATH}$ENV{LIBRARY_PATH}$ENV{COMPILER_PATH}$ENV{GCC_EXEC_PREFIX}" STREQUAL ""
      AND NOT check MATCHES "\"(args|file)\":" AND NOT check MATCHES "include <(/|[^>]*\\.\\.)"
      AND rest MATCHES "^\"t[0-9]+\":{\"compile\":\\[\"/[^\"]+\"\\],\"link\":\\[\"/[^\"]+\"\\],\"env\":{[^]}]*}}$")
    set(${result} TRUE PARENT_SCOPE)
  endif()
endfunction()

# The header of the call that follows the one with this variable in the list file that is running; of
# calls with a header and a variable.
function(_tryall_next_header result variable)
  set(file "${CMAKE_CURRENT_LIST_FILE}")
  get_property(is_read GLOBAL PROPERTY "_TRYALL_NEXT_READ_${file}" SET)
  if(NOT is_read AND EXISTS "${file}")
    set_property(GLOBAL PROPERTY "_TRYALL_NEXT_READ_${file}" TRUE)
    file(READ "${file}" text)
    string(REGEX MATCHALL "[A-Za-z0-9_]+[ \t]*\\([ \t]*\"?[A-Za-z0-9_./+-]+\\.h\"?[ \t]+\"?[A-Za-z0-9_]+\"?[ \t]*\\)" calls "${text}")
    set(last "")
    set(last_command "")
    foreach(one IN LISTS calls)
      string(REGEX MATCH "^([A-Za-z0-9_]+)[^A-Za-z0-9_.]+([A-Za-z0-9_./+-]+)\"?[ \t]+\"?([A-Za-z0-9_]+)" one "${one}")
      if(NOT last STREQUAL "" AND CMAKE_MATCH_1 STREQUAL last_command)
        set_property(GLOBAL PROPERTY "_TRYALL_NEXT_${last}" "${CMAKE_MATCH_2}")
      endif()
      set(last "${CMAKE_MATCH_3}")
      set(last_command "${CMAKE_MATCH_1}")
    endforeach()
  endif()
  get_property(next GLOBAL PROPERTY "_TRYALL_NEXT_${variable}")
  set(${result} "${next}" PARENT_SCOPE)
endfunction()
