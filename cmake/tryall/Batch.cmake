# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Questions become one request for tryall, and its answers are kept until they are asked for:
#
#   _TRYALL_<n>_TOOLCHAIN  the name of the toolchain
#   _TRYALL_<n>_CHECK      the check, as JSON
#   _TRYALL_<n>_STATUS     the answer, and with it
#   _TRYALL_<n>_LOG        text for the log: commands, output and exit codes
#   _TRYALL_<n>_OUTPUT     what the build would have written
#   _TRYALL_<n>_RAN        the exit code of the program that was run, or FAILED_TO_RUN
#   _TRYALL_<n>_WRITTEN    what the program wrote
#
# and of a toolchain t, which most checks share with others:
#
#   _TRYALL_TOOLCHAIN_<t>      the toolchain, as JSON
#   _TRYALL_TOOLCHAIN_KEY_<t>  the key of its compile command
#   _TRYALL_TOOLCHAIN_OF_<h>   by the hash of these two, its name
#   _TRYALL_READING_<h>        its name, by all that it was written from, see Request.cmake
#
# The request's files are in _TRYALL_DIRECTORY.

# Writes down the toolchain of what _tryall_decide has understood, and sets toolchain to its name.
function(_tryall_write_toolchain)
  if("${flags}" STREQUAL "")
    string(REPLACE "\"{flags}\"," "" text "${recipe}")
  else()
    list(JOIN flags "\",\"" words)
    string(REPLACE "{flags}" "${words}" text "${recipe}")
  endif()
  # CMake's modules change these for a check, and the batch runs later. Empty is as if unset.
  string(APPEND text ",\"env\":{\"LC_ALL\":\"$ENV{LC_ALL}\",\"LC_MESSAGES\":\"$ENV{LC_MESSAGES}\",\"LANG\":\"$ENV{LANG}\"}")
  if(command STREQUAL "try_run" AND CMAKE_CROSSCOMPILING_EMULATOR)
    set(emulator "")
    foreach(word IN LISTS CMAKE_CROSSCOMPILING_EMULATOR)
      _tryall_json_text(word "${word}")
      list(APPEND emulator "${word}")
    endforeach()
    list(JOIN emulator "," emulator)
    string(APPEND text ",\"emulator\":[${emulator}]")
  endif()

  string(MD5 hash "${compile_key}${text}")
  get_property(toolchain GLOBAL PROPERTY _TRYALL_TOOLCHAIN_OF_${hash})
  if(NOT toolchain)
    set(toolchain "t${number}")
    set_property(GLOBAL PROPERTY _TRYALL_TOOLCHAIN_OF_${hash} ${toolchain})
    set_property(GLOBAL PROPERTY _TRYALL_TOOLCHAIN_${toolchain} "\"${toolchain}\":{${text}}")
    set_property(GLOBAL PROPERTY _TRYALL_TOOLCHAIN_KEY_${toolchain} "${compile_key}")
  endif()
  if(NOT reading_key STREQUAL "")
    set_property(GLOBAL PROPERTY _TRYALL_READING_${reading_key} ${toolchain})
  endif()
  set(toolchain ${toolchain} PARENT_SCOPE)
endfunction()

# Writes down what _tryall_decide has understood as question number, with this toolchain.
function(_tryall_write_request)
  if(command STREQUAL "try_run")
    _tryall_json_text(directory "${run_directory}")
    set(check "\"kind\":\"runs\",\"run_dir\":${directory}")
    if(DEFINED _tryall_OUTPUT_VARIABLE OR DEFINED _tryall_RUN_OUTPUT_VARIABLE)
      string(APPEND check ",\"merge_output\":true")
    endif()
  elseif(is_library)
    set(check "\"kind\":\"compiles\"")
  else()
    set(check "\"kind\":\"links\"")
  endif()

  if(path STREQUAL "" AND source MATCHES "^[\t\r\n -~]*$")
    if(_tryall_is_check AND check STREQUAL "\"kind\":\"links\"")
      _tryall_read_siblings()
    endif()
    _tryall_json_text(source "${source}")
    string(APPEND check ",\"source\":${source},\"extension\":\"${extension}\"")
  else()
    if(path STREQUAL "")
      get_property(directory GLOBAL PROPERTY _TRYALL_DIRECTORY)
      file(WRITE "${directory}/${number}.${extension}" "${source}")
      set(path "${number}.${extension}")
    endif()
    _tryall_json_text(path "${path}")
    string(APPEND check ",\"file\":${path}")
  endif()
  if(NOT definitions STREQUAL "")
    list(JOIN definitions "\",\"" words)
    string(APPEND check ",\"definitions\":[\"${words}\"]")
  endif()
  if(NOT options STREQUAL "")
    list(JOIN options "\",\"" words)
    string(APPEND check ",\"args\":[\"${words}\"]")
  endif()
  if(DEFINED _tryall_COPY_FILE)
    string(APPEND check ",\"product\":\"${number}.bin\"")
    if(_tryall_is_check AND _tryall_COPY_FILE MATCHES "/CheckTypeSize/[^/]+\\.bin$")
      # CMake's own module looks for a text in it, and for nothing else.
      string(APPEND check ",\"product_is_data\":true")
    endif()
  endif()

  set_property(GLOBAL PROPERTY _TRYALL_${number}_TOOLCHAIN ${toolchain})
  set_property(GLOBAL PROPERTY _TRYALL_${number}_CHECK
    "{\"id\":\"_tryall_${number}\",\"toolchain\":\"${toolchain}\",${check}}")
endfunction()

# Adds to check the fields "word" and "own_names" of a source that CMake's modules write in the same
# way for each function, symbol or type, and in which they declare nothing else: those of
# check_function_exists, check_symbol_exists and check_type_size of CMake 3.20 to 4.4. Nothing for all
# others. Those of the first, without libraries, are patient.
function(_tryall_read_siblings)
  set(word "")
  set(name "([A-Za-z_][A-Za-z0-9_]*)")
  if(source MATCHES "\n  \\(void\\)argv;\n#ifndef ${name}\n  return \\(\\(int\\*\\)\\(&${name}\\)\\)\\[argc\\];\n#else\n")
    if("${CMAKE_MATCH_1}" STREQUAL "${CMAKE_MATCH_2}")
      set(word "${CMAKE_MATCH_1}\",\"own_names\":[\"main\"]")
    endif()
  elseif(source MATCHES "^#ifdef CHECK_FUNCTION_EXISTS\n")
    if(";${definitions};" MATCHES ";-DCHECK_FUNCTION_EXISTS=${name};")
      set(word "${CMAKE_MATCH_1}\",\"own_names\":[\"main\"]")
      if(NOT DEFINED _tryall_LINK_LIBRARIES AND NOT "${_tryall_CMAKE_FLAGS}" MATCHES "LI[NB]")
        set_property(GLOBAL PROPERTY _TRYALL_${number}_IS_PATIENT TRUE)
      endif()
    endif()
  elseif(source MATCHES "\n#define SIZE (\\(sizeof\\([A-Za-z0-9_ *]+\\)\\))\n(static )?char info_size\\[\\] =")
    set(word "${CMAKE_MATCH_1}\",\"own_names\":[\"main\",\"info_size\"]")
  endif()
  if(NOT word STREQUAL "")
    set(check "${check},\"word\":\"${word}" PARENT_SCOPE)
  endif()
endfunction()

# Text of printable ASCII as JSON, with its quotes.
function(_tryall_json_text result text)
  string(REPLACE "\\" "\\\\" text "${text}")
  string(REPLACE "\"" "\\\"" text "${text}")
  string(REPLACE "\n" "\\n" text "${text}")
  string(REPLACE "\t" "\\t" text "${text}")
  string(REPLACE "\r" "\\r" text "${text}")
  set(${result} "\"${text}\"" PARENT_SCOPE)
endfunction()

# The environment variables that compilers and linkers read, or what wraps them, but for those of
# the locale that each request says.
function(_tryall_environment_names result)
  set(${result}
    PATH HOME LANGUAGE LC_CTYPE LD_LIBRARY_PATH LD_PRELOAD
    CPATH C_INCLUDE_PATH CPLUS_INCLUDE_PATH OBJC_INCLUDE_PATH OBJCPLUS_INCLUDE_PATH LIBRARY_PATH
    COMPILER_PATH GCC_EXEC_PREFIX GCC_COMPARE_DEBUG DEPENDENCIES_OUTPUT SUNPRO_DEPENDENCIES
    SOURCE_DATE_EPOCH LD_RUN_PATH LDEMULATION GNUTARGET
    CCC_OVERRIDE_OPTIONS CLANG_NO_DEFAULT_CONFIG
    SDKROOT DEVELOPER_DIR TOOLCHAINS MACOSX_DEPLOYMENT_TARGET IPHONEOS_DEPLOYMENT_TARGET
    ICCCFG ICPCCFG IFORTCFG ICXCFG ICPXCFG IFXCFG
    NIX_CFLAGS_COMPILE NIX_CFLAGS_LINK NIX_LDFLAGS EMCC_CFLAGS
    PARENT_SCOPE)
endfunction()

# Makes the function that puts them all into one text, because a loop would take longer than the
# rest of a check.
function(_tryall_define_environment_text)
  if(COMMAND _tryall_environment_text)
    return()
  endif()
  _tryall_environment_names(names)
  list(JOIN names "}|\$ENV{" text)
  cmake_language(EVAL CODE "function(_tryall_environment_text result)
    set(\${result} \"\$ENV{${text}}\" PARENT_SCOPE)
  endfunction()")
endfunction()

# Code that sets them to what they are.
function(_tryall_code_for_environment result)
  _tryall_environment_names(names)
  set(code "")
  foreach(name IN LISTS names)
    if(DEFINED ENV{${name}})
      _tryall_quote(value "$ENV{${name}}")
      string(APPEND code "set(ENV{${name}}${value})\n")
    else()
      string(APPEND code "unset(ENV{${name}})\n")
    endif()
  endforeach()
  set(${result} "${code}" PARENT_SCOPE)
endfunction()

# A batch has one environment: what waits in another one is settled before a check is added.
function(_tryall_keep_environment)
  _tryall_environment_text(text)
  get_property(kept GLOBAL PROPERTY _TRYALL_ENVIRONMENT)
  if("${text}" STREQUAL "${kept}")
    return()
  endif()
  _tryall_settle()
  _tryall_code_for_environment(code)
  set_property(GLOBAL PROPERTY _TRYALL_ENVIRONMENT "${text}")
  set_property(GLOBAL PROPERTY _TRYALL_ENVIRONMENT_CODE "${code}")
endfunction()

# Asks all these questions at once.
function(_tryall_run_batch)
  set(guessed "")
  if(ARGC EQUAL 1)
    _tryall_take_guess(is_taken ${ARGV0})
    if(is_taken)
      _tryall_verify(${ARGV0})
      _tryall_count(CHECKS 1)
      return()
    endif()
    _tryall_guess(${ARGV0} guessed)
  endif()
  set(names "")
  set(checks "")
  foreach(number IN LISTS ARGN)
    get_property(name GLOBAL PROPERTY _TRYALL_${number}_TOOLCHAIN)
    get_property(check GLOBAL PROPERTY _TRYALL_${number}_CHECK)
    list(APPEND names ${name})
    string(APPEND checks ",\n${check}")
  endforeach()
  if(NOT guessed STREQUAL "")
    string(APPEND checks ",\n${guessed}")
  endif()
  string(SUBSTRING "${checks}" 2 -1 checks)
  list(REMOVE_DUPLICATES names)
  set(toolchains "")
  foreach(name IN LISTS names)
    get_property(toolchain GLOBAL PROPERTY _TRYALL_TOOLCHAIN_${name})
    string(APPEND toolchains ",\n${toolchain}")
  endforeach()
  string(SUBSTRING "${toolchains}" 2 -1 toolchains)
  get_property(directory GLOBAL PROPERTY _TRYALL_DIRECTORY)
  get_property(program GLOBAL PROPERTY _TRYALL_PROGRAM)
  # With bytes that are not Unicode in it, no request holds the directory's name: so from within.
  # A file that is written over goes to the disk at once on some systems; a new one does not.
  file(REMOVE "${directory}/request.json" "${directory}/answers.cmake")
  file(WRITE "${directory}/request.json"
    "{\"toolchains\":{${toolchains}},\n\"checks\":[${checks}]}\n")
  # The project may have changed its environment since.
  _tryall_environment_text(environment)
  get_property(kept GLOBAL PROPERTY _TRYALL_ENVIRONMENT)
  set(restore "")
  if(NOT "${environment}" STREQUAL "${kept}")
    _tryall_code_for_environment(restore)
    get_property(code GLOBAL PROPERTY _TRYALL_ENVIRONMENT_CODE)
    cmake_language(EVAL CODE "${code}")
  endif()
  execute_process(
    COMMAND "${program}" check request.json --format cmake-variables --output answers.cmake
    WORKING_DIRECTORY "${directory}"
    RESULT_VARIABLE status
    OUTPUT_VARIABLE said
    ERROR_VARIABLE said)
  if(NOT restore STREQUAL "")
    cmake_language(EVAL CODE "${restore}")
  endif()
  set(TRYALL_PROCESSES 0)
  set(TRYALL_WALL_MS 0)
  set(is_whole FALSE)
  if(status MATCHES "^[013]$" AND EXISTS "${directory}/answers.cmake")
    # What something else has written is not to be run.
    file(READ "${directory}/answers.cmake" text)
    if(text MATCHES "^# Written by tryall" AND text MATCHES "\nset\\(TRYALL_CPU_MS [0-9.]+\\)\n$")
      set(is_whole TRUE)
    endif()
  endif()
  if(is_whole)
    include("${directory}/answers.cmake")
  else()
    # It is broken, or of another version. CMake itself can answer all of this.
    message(AUTHOR_WARNING "tryall failed (${status}) and is not asked again:\n${said}")
    set_property(GLOBAL PROPERTY _TRYALL_ON "")
    set_property(GLOBAL PROPERTY _TRYALL_BROKEN TRUE)
  endif()
  set(shows_commands TRUE)
  if(CMAKE_GENERATOR STREQUAL "Ninja" AND CMAKE_VERSION VERSION_LESS 3.26)
    set(shows_commands FALSE)
  endif()
  get_property(verifies GLOBAL PROPERTY _TRYALL_VERIFIES)
  foreach(number IN LISTS ARGN)
    _tryall_keep_answer(${number})
    if(verifies)
      _tryall_verify(${number})
    endif()
  endforeach()
  if(NOT guessed STREQUAL "")
    _tryall_keep_answer(guess)
  endif()
  list(LENGTH ARGN length)
  _tryall_count_batch(${length} "${TRYALL_PROCESSES}" "${TRYALL_WALL_MS}")
endfunction()

# Keeps what the variables _tryall_<number>_... say; shows_commands is whether a build would show its
# commands.
function(_tryall_keep_answer number)
  set(v _tryall_${number})
  set(status "${${v}_STATUS}")
  if(NOT status MATCHES "^(yes|no)$" OR ${v}_OUTPUT_TRUNCATED)
    if("${${v}_REASON_CODE}" STREQUAL "compiler_replaced")
      # CMake could ask only the other one, which is not the one that this check was meant for, and
      # nothing that CMake has found out before need be true of it.
      message(FATAL_ERROR "tryall: ${${v}_REASON}")
    endif()
    # A module may search all of the output.
    set_property(GLOBAL PROPERTY _TRYALL_${number}_STATUS error)
    return()
  endif()
  set(ran "")
  if(DEFINED ${v}_RUN_EXIT_CODE)
    # Compiled and linked; how the program ended is another question.
    set(status yes)
    set(ran "${${v}_RUN_EXIT_CODE}")
  elseif(DEFINED ${v}_RUN_SIGNAL)
    set(status yes)
    set(ran FAILED_TO_RUN)
  endif()

  # What the build tool would have written, in the order of the two steps.
  set(output "Run Build Command(s): ${CMAKE_MAKE_PROGRAM} (by tryall)\n")
  set(log "")
  foreach(step IN ITEMS COMPILE LINK)
    if(DEFINED ${v}_${step}_COMMAND)
      string(APPEND log "$ ${${v}_${step}_COMMAND}\n${${v}_${step}_OUTPUT}")
      if(NOT "${${v}_${step}_EXIT_CODE}" STREQUAL "0")
        string(APPEND log "exit code ${${v}_${step}_EXIT_CODE}\n")
        string(APPEND output "FAILED:\n${${v}_${step}_COMMAND}\n")
      elseif(shows_commands)
        string(APPEND output "${${v}_${step}_COMMAND}\n")
      endif()
      string(APPEND output "${${v}_${step}_OUTPUT}")
    endif()
  endforeach()
  if(NOT ran STREQUAL "")
    string(APPEND log "The program was run: exit code ${ran}${${v}_RUN_SIGNAL}\n${${v}_STDOUT}")
    set_property(GLOBAL PROPERTY _TRYALL_${number}_RAN "${ran}")
    set_property(GLOBAL PROPERTY _TRYALL_${number}_WRITTEN "${${v}_STDOUT}")
  endif()
  set_property(GLOBAL PROPERTY _TRYALL_${number}_STATUS "${status}")
  set_property(GLOBAL PROPERTY _TRYALL_${number}_OUTPUT "${output}")
  set_property(GLOBAL PROPERTY _TRYALL_${number}_LOG "${log}")
endfunction()
