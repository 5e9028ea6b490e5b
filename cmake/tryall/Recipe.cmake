# SPDX-License-Identifier: Apache-2.0 OR MIT
#
# Recipes: the compile and link commands that try_compile uses in given surroundings.
#
# Dozens of variables and policies decide about them, so they are not computed. The first request
# in each surroundings is answered by stock CMake, with three options added that change nothing
# and stand where a request's own options stand. They are found again in the verbose output:
#
#   -DTRYALL_DEFINITION  among the definitions, which CMake sorts
#   -UTRYALL_OPTION      where COMPILE_DEFINITIONS that do not start with -D go
#   -DTRYALL_FLAG        behind CMAKE_<LANG>_FLAGS, on both commands
#
# Later requests replay the two commands with their own options in these places. A command that
# holds anything unexpected gives no recipe, and all requests in its surroundings go to CMake.
#
# Each of the two is kept by itself, by the key of what can change it (see _tryall_part_request):
#
#   _TRYALL_COMPILE_<k>   the compile command
#   _TRYALL_LINK_<k>      the link command; or "own" if it has no place for the one library, and
#                         is kept by the key with the library's name
#   _TRYALL_REFUSED_<k>   by the key of all that a request says: why it goes to CMake

# The variables beside the request itself that decide about the command lines: all that
# try_compile reads. From cmCoreTryCompile::TryCompileCode of CMake 3.20 to 4.4. CMAKE_<LANG>_FLAGS
# is not among them: projects add to it whatever they find supported, and so it is taken for a part
# of the request, see _tryall_read_options. CMAKE_<LANG>_FLAGS_<CONFIG> does not always count.
function(_tryall_surrounding_variables result l configuration)
  set(${result}
    CMAKE_${l}_COMPILER CMAKE_${l}_COMPILER_TARGET CMAKE_${l}_COMPILER_EXTERNAL_TOOLCHAIN
    CMAKE_${l}_LINK_FLAGS CMAKE_${l}_LINK_FLAGS_${configuration}
    CMAKE_${l}_STANDARD CMAKE_${l}_STANDARD_REQUIRED CMAKE_${l}_EXTENSIONS
    CMAKE_${l}_LINK_PIE_SUPPORTED CMAKE_${l}_LINK_NO_PIE_SUPPORTED
    CMAKE_EXE_LINKER_FLAGS CMAKE_EXE_LINKER_FLAGS_${configuration}
    CMAKE_TRY_COMPILE_TARGET_TYPE CMAKE_TRY_COMPILE_CONFIGURATION
    CMAKE_TRY_COMPILE_NO_PLATFORM_VARIABLES CMAKE_TRY_COMPILE_PLATFORM_VARIABLES
    CMAKE_MODULE_PATH CMAKE_USER_MAKE_RULES_OVERRIDE CMAKE_USER_MAKE_RULES_OVERRIDE_${l}
    CMAKE_SYSROOT CMAKE_SYSROOT_COMPILE CMAKE_SYSROOT_LINK
    CMAKE_OSX_ARCHITECTURES CMAKE_TRY_COMPILE_OSX_ARCHITECTURES CMAKE_OSX_SYSROOT
    CMAKE_OSX_DEPLOYMENT_TARGET CMAKE_APPLE_ARCH_SYSROOTS
    CMAKE_ENABLE_EXPORTS CMAKE_EXECUTABLE_ENABLE_EXPORTS CMAKE_SHARED_LIBRARY_ENABLE_EXPORTS
    CMAKE_LINK_SEARCH_START_STATIC CMAKE_LINK_SEARCH_END_STATIC
    CMAKE_POSITION_INDEPENDENT_CODE
    CMAKE_CXX_SCAN_FOR_MODULES CMAKE_CXX_COMPILER_CLANG_SCAN_DEPS CMAKE_CXX_STDLIB_MODULES_JSON
    CMAKE_EXPERIMENTAL_CXX_IMPORT_STD
    PARENT_SCOPE)
endfunction()

# The configuration that try_compile builds, as it stands in the names of variables, in configuration.
macro(_tryall_configuration)
  string(TOUPPER "${CMAKE_TRY_COMPILE_CONFIGURATION}" configuration)
  if(configuration STREQUAL "")
    set(configuration DEBUG)
  endif()
endmacro()

# For each language and configuration there is a function that sets its argument to one text of the
# values of all these, made when it is first wanted: a loop would take longer than all the rest.
#
# This makes it, by that name, for the language and the configuration that there are now.
function(_tryall_define_surroundings name)
  _tryall_configuration()
  _tryall_surrounding_variables(variables ${language} "${configuration}")
  list(JOIN variables "}|\${" text)
  cmake_language(EVAL CODE "function([[${name}]] result)
    set(text \"${language}|${configuration}|\${${text}}|\$ENV{CMAKE_${language}_COMPILER_LAUNCHER}|\$ENV{CMAKE_${language}_LINKER_LAUNCHER}\")
    # Here it counts whether it is set at all.
    if(DEFINED CMAKE_POSITION_INDEPENDENT_CODE)
      string(APPEND text \"|set\")
    endif()
    foreach(name IN LISTS CMAKE_TRY_COMPILE_PLATFORM_VARIABLES)
      string(APPEND text \"|\${name}=\${\${name}}\")
    endforeach()
    set(\${result} \"\${text}\" PARENT_SCOPE)
  endfunction()")
endfunction()

# Code that sets all these variables to what they are.
function(_tryall_code_for_surroundings result language)
  _tryall_configuration()
  _tryall_surrounding_variables(variables ${language} "${configuration}")
  _tryall_code_for_variables(code ${variables} CMAKE_${language}_FLAGS_${configuration}
    ${CMAKE_TRY_COMPILE_PLATFORM_VARIABLES})
  set(${result} "${code}" PARENT_SCOPE)
endfunction()

# The recipe of the request that _tryall_decide has read, if both commands are known by now. If
# it is known that there is none, why says why.
function(_tryall_find_recipe)
  set(recipe "" PARENT_SCOPE)
  get_property(refused GLOBAL PROPERTY _TRYALL_REFUSED_${key})
  if(NOT "${refused}" STREQUAL "")
    set(why "${refused}" PARENT_SCOPE)
    return()
  endif()
  get_property(compile GLOBAL PROPERTY _TRYALL_COMPILE_${compile_key})
  if(is_library)
    set(recipe "${compile}" PARENT_SCOPE)
    return()
  endif()
  get_property(link GLOBAL PROPERTY _TRYALL_LINK_${link_key})
  if("${link}" STREQUAL "own")
    get_property(link GLOBAL PROPERTY _TRYALL_LINK_${own_link_key})
  endif()
  if(NOT "${compile}" STREQUAL "" AND NOT "${link}" STREQUAL "")
    string(REPLACE "\"{library}\"" "\"-l${library}\"" link "${link}")
    set(recipe "${compile},${link}" PARENT_SCOPE)
  endif()
endfunction()

# Learns from the output of a request that stock CMake has answered. What did not compile was not
# linked: then _tryall_todo of the caller is "probe", unless the link command is known.
function(_tryall_learn output)
  if(_tryall_todo STREQUAL "recipe")
    _tryall_count_stock("the first in its surroundings")
  endif()
  _tryall_read_compile(compile "${output}")
  set(link "")
  if("${_tryall_why}" STREQUAL "" AND NOT _tryall_is_library)
    get_property(link GLOBAL PROPERTY _TRYALL_LINK_${_tryall_link_key})
    if("${link}" MATCHES "^(own)?$")
      _tryall_read_link(link "${output}")
    endif()
    if("${_tryall_why}" STREQUAL "" AND "${link}" STREQUAL "")
      if(_tryall_todo STREQUAL "recipe")
        set(_tryall_todo probe PARENT_SCOPE)
        return()
      endif()
      set(_tryall_why "surroundings in which no program builds")
    endif()
  endif()
  set(_tryall_todo "" PARENT_SCOPE)
  if(NOT "${_tryall_why}" STREQUAL "")
    set_property(GLOBAL PROPERTY _TRYALL_REFUSED_${_tryall_key} "${_tryall_why}")
    return()
  endif()
  set_property(GLOBAL PROPERTY _TRYALL_COMPILE_${_tryall_compile_key} "${compile}")
  if(_tryall_is_library)
    # It is not linked.
  elseif(_tryall_library STREQUAL "" OR "${link}" MATCHES "\"{library}\"")
    set_property(GLOBAL PROPERTY _TRYALL_LINK_${_tryall_link_key} "${link}")
  else()
    set_property(GLOBAL PROPERTY _TRYALL_LINK_${_tryall_link_key} own)
    set_property(GLOBAL PROPERTY _TRYALL_LINK_${_tryall_own_link_key} "${link}")
  endif()
  _tryall_code_for_surroundings(code ${_tryall_language})
  set_property(GLOBAL PROPERTY _TRYALL_SURROUNDINGS_${_tryall_compile_key} "${code}")
  set_property(GLOBAL PROPERTY _TRYALL_POLICIES_${_tryall_compile_key} "${_tryall_policies}")
endfunction()

# The arguments of a try_compile that differs from the one at hand in its source, which is an empty
# program, and in having no options of its own.
function(_tryall_arguments_of_probe result)
  # CMake takes the sources in this directory for temporary.
  set(directory "${CMAKE_BINARY_DIR}/CMakeFiles/CMakeScratch/tryall")
  set(path "${directory}/probe.${_tryall_extension}")
  if(_tryall_language STREQUAL "Fortran")
    file(WRITE "${path}" "      end\n")
  else()
    file(WRITE "${path}" "int main(void) { return 0; }\n")
  endif()
  set(_tryall_path "${path}" PARENT_SCOPE)
  set(_tryall_definitions "" PARENT_SCOPE)
  set(_tryall_options "" PARENT_SCOPE)
  _tryall_quote(directory "${CMAKE_BINARY_DIR}")
  _tryall_quote(path "${path}")
  set(arguments "TRYALL_PROBE${directory}${path} COMPILE_DEFINITIONS -DTRYALL_DEFINITION -UTRYALL_OPTION CMAKE_FLAGS")
  set(is_marked FALSE)
  foreach(item IN LISTS _tryall_CMAKE_FLAGS)
    if(item MATCHES "^-DCOMPILE_DEFINITIONS(:STRING)?=")
      set(is_marked TRUE)
      string(APPEND item " -DTRYALL_FLAG")
    endif()
    _tryall_quote(item "${item}")
    string(APPEND arguments "${item}")
  endforeach()
  if(NOT is_marked)
    string(APPEND arguments " -DCOMPILE_DEFINITIONS:STRING=-DTRYALL_FLAG")
  endif()
  foreach(keyword IN ITEMS LINK_OPTIONS LINK_LIBRARIES C_STANDARD C_STANDARD_REQUIRED C_EXTENSIONS
      CXX_STANDARD CXX_STANDARD_REQUIRED CXX_EXTENSIONS)
    if(DEFINED _tryall_${keyword})
      string(APPEND arguments " ${keyword}")
      foreach(item IN LISTS _tryall_${keyword})
        _tryall_quote(item "${item}")
        string(APPEND arguments "${item}")
      endforeach()
    endif()
  endforeach()
  set(${result} "${arguments}" PARENT_SCOPE)
endfunction()

# Code that makes the build tool show its commands, and code that makes it as it was. Before 3.26
# CMake did not ask Ninja to; so a script that does stands in Ninja's place, in the cache, where
# alone try_compile looks for it.
function(_tryall_code_for_verbosity before after)
  set(${before} "" PARENT_SCOPE)
  set(${after} "" PARENT_SCOPE)
  if(CMAKE_GENERATOR STREQUAL "Ninja" AND CMAKE_VERSION VERSION_LESS 3.26)
    get_property(directory GLOBAL PROPERTY _TRYALL_DIRECTORY)
    set(script "${directory}/verbose-ninja")
    if(NOT EXISTS "${script}")
      string(REPLACE "'" "'\\''" ninja "$CACHE{CMAKE_MAKE_PROGRAM}")
      file(WRITE "${script}" "#!/bin/sh\nexec '${ninja}' -v \"$@\"\n")
      file(CHMOD "${script}" PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    endif()
    get_property(type CACHE CMAKE_MAKE_PROGRAM PROPERTY TYPE)
    get_property(help CACHE CMAKE_MAKE_PROGRAM PROPERTY HELPSTRING)
    _tryall_quote(script "${script}")
    _tryall_quote(ninja "$CACHE{CMAKE_MAKE_PROGRAM}")
    _tryall_quote(help "${help}")
    set(${before} "set(CMAKE_MAKE_PROGRAM${script} CACHE ${type}${help} FORCE)\n" PARENT_SCOPE)
    set(${after} "\nset(CMAKE_MAKE_PROGRAM${ninja} CACHE ${type}${help} FORCE)
string(REGEX REPLACE \"\\\\[([0-9]+/[0-9]+)\\\\] [^\\n]*\" \"[\\\\1] Building\" ${_tryall_output_name} \"\${_tryall_shown}\")\n" PARENT_SCOPE)
  endif()
endfunction()

# The compile command of a request whose output stock CMake has written: the field "compile" of a
# toolchain in tryall's request. The words {flags}, {definitions}, {args}, {source}, {object} and
# {program} stand for a request's own, here and in the link command. Nothing if the output does not
# tell it: then _tryall_why says why.
#
# Reads _tryall_definitions, _tryall_options, _tryall_flags and _tryall_library, as Request.cmake
# sets them.
function(_tryall_read_compile result output)
  set(${result} "" PARENT_SCOPE)
  set(_tryall_why "" PARENT_SCOPE)
  string(REGEX MATCH "[^\n]* -DTRYALL_DEFINITION [^\n]*" line "${output}")
  if(line STREQUAL "")
    set(_tryall_why "no command in the output" PARENT_SCOPE)
    return()
  endif()
  _tryall_command_words(words "${line}")
  if(words STREQUAL "")
    set(_tryall_why "a compile command that is not understood" PARENT_SCOPE)
    return()
  endif()
  set(sequence ${_tryall_definitions} -DTRYALL_DEFINITION)
  list(REMOVE_DUPLICATES sequence)
  list(SORT sequence)
  _tryall_put_place(words "{definitions}" -DTRYALL_DEFINITION ${sequence})
  _tryall_put_place(words "{args}" -UTRYALL_OPTION -UTRYALL_OPTION ${_tryall_options})
  _tryall_put_place(words "{flags}" -DTRYALL_FLAG ${_tryall_flags} -DTRYALL_FLAG)
  _tryall_put_files(words compile)
  if(words STREQUAL "")
    set(_tryall_why "a compile command that is not understood" PARENT_SCOPE)
    return()
  endif()
  _tryall_json_list(compile ${words})
  set(${result} "\"compile\":${compile}" PARENT_SCOPE)
endfunction()

# The link command in the same way, as the field "link". Nothing, and no reason, if the output has
# none. The word {library} stands for the only library, if that is _tryall_library.
function(_tryall_read_link result output)
  set(${result} "" PARENT_SCOPE)
  string(REGEX MATCH "[^\n]* -o cmTC_[0-9a-f]+[^\n]*" line "${output}")
  if(line STREQUAL "")
    # It did not compile, so it was not linked.
    return()
  endif()
  _tryall_command_words(words "${line}")
  _tryall_put_place(words "{flags}" -DTRYALL_FLAG ${_tryall_flags} -DTRYALL_FLAG)
  _tryall_put_files(words link)
  if(words STREQUAL "")
    set(_tryall_why "a link command that is not understood" PARENT_SCOPE)
    return()
  endif()
  # Only what stands there once is known to stand there for the request.
  set(others "${words}")
  list(REMOVE_ITEM others "-l${_tryall_library}")
  list(LENGTH words length)
  list(LENGTH others others_length)
  math(EXPR count "${length} - ${others_length}")
  if(count EQUAL 1 AND NOT _tryall_library STREQUAL "")
    _tryall_put_place(words "{library}" "-l${_tryall_library}" "-l${_tryall_library}")
  endif()
  _tryall_json_list(link ${words})
  set(${result} "\"link\":${link}" PARENT_SCOPE)
endfunction()

# The words of a command in the verbose output, without what only writes dependencies; nothing if
# there is more than one plain command.
function(_tryall_command_words result line)
  set(${result} "" PARENT_SCOPE)
  # What Ninja puts around commands, and behind Fortran's preprocessor.
  string(REGEX REPLACE "^.*\\[[0-9]+/[0-9]+\\] (: && )?" "" line "${line}")
  string(REGEX REPLACE " && :$" "" line "${line}")
  string(REGEX REPLACE " && [^&]* -E cmake_ninja_depends [^&]*$" "" line "${line}")
  if(line MATCHES "[][;&|<>\\`$*?(){}~#!\"']" OR NOT line MATCHES "^[!-~ ]+$")
    return()
  endif()
  separate_arguments(line UNIX_COMMAND "${line}")
  set(words "")
  set(skip FALSE)
  foreach(word IN LISTS line)
    if(skip)
      set(skip FALSE)
    elseif(word MATCHES "^-M[TFQ]$")
      set(skip TRUE)
    elseif(NOT word MATCHES "^(-MM?D|-Wl,--dependency-file[=,].*)$")
      list(APPEND words "${word}")
    endif()
  endforeach()
  set(${result} "${words}" PARENT_SCOPE)
endfunction()

# Puts a place in for a sequence of words, which must stand together around a marker. No words if
# they do not.
function(_tryall_put_place list place marker)
  list(FIND ARGN "${marker}" offset)
  list(FIND ${list} "${marker}" position)
  list(LENGTH ARGN length)
  math(EXPR start "${position} - ${offset}")
  if(position EQUAL -1 OR start LESS 0)
    set(${list} "" PARENT_SCOPE)
    return()
  endif()
  list(SUBLIST ${list} ${start} ${length} found)
  if(NOT "${found}" STREQUAL "${ARGN}")
    set(${list} "" PARENT_SCOPE)
    return()
  endif()
  math(EXPR end "${start} + ${length}")
  list(SUBLIST ${list} 0 ${start} before)
  set(after "")
  list(LENGTH ${list} length)
  if(end LESS length)
    list(SUBLIST ${list} ${end} -1 after)
  endif()
  set(${list} ${before} ${place} ${after} PARENT_SCOPE)
endfunction()

# Puts in the places of the files of a compile or link command. No words if one of them is missing,
# or if a word speaks of the directory of the test project.
function(_tryall_put_files list step)
  set(placed "")
  set(places "")
  foreach(word IN LISTS ${list})
    if(word MATCHES "^CMakeFiles/cmTC_[0-9a-f]+\\.dir/[^/]+$")
      # Fortran is preprocessed by a command of its own under Ninja.
      set(word "{object}")
    elseif(step STREQUAL "link" AND word MATCHES "^cmTC_[0-9a-f]+(\\.exe|\\.js)?$")
      set(word "{program}")
    elseif(step STREQUAL "compile" AND "${word}" STREQUAL "${_tryall_path}")
      set(word "{source}")
    elseif(step STREQUAL "compile" AND "${_tryall_path}" MATCHES "/CMakeFiles/CMakeTmp/([^/]+)$"
        AND "${word}" STREQUAL CMAKE_MATCH_1)
      # Relative to the directory of the test project, which is that of the source.
      set(word "{source}")
    elseif(step STREQUAL "compile" AND "${_tryall_path}" STREQUAL ""
        AND word MATCHES "/CMakeFiles/CMakeScratch/TryCompile-[^/]+/[^/]+$")
      set(word "{source}")
    elseif(step STREQUAL "compile" AND word STREQUAL "-E")
      set(word "-c")
    elseif(step STREQUAL "compile" AND "${word}" STREQUAL "-I${CMAKE_BINARY_DIR}/CMakeFiles/CMakeTmp"
        AND "${_tryall_CMAKE_FLAGS}" MATCHES "-DINCLUDE_DIRECTORIES(:[A-Z]+)?=[^\n]*/CMakeFiles/CMakeTmp")
      # The request says so, for what the project writes there, and is part of the key.
    elseif(word MATCHES "cmTC_|CMakeScratch|CMakeTmp|TRYALL_|^@|^-[cE]$" AND NOT word STREQUAL "-c")
      set(${list} "" PARENT_SCOPE)
      return()
    endif()
    if(word MATCHES "^({object}|{program}|{source})$")
      list(APPEND places "${word}")
    endif()
    list(APPEND placed "${word}")
  endforeach()
  list(SORT places)
  if((step STREQUAL "compile" AND places STREQUAL "{object};{source}" AND "-c" IN_LIST placed)
      OR (step STREQUAL "link" AND places STREQUAL "{object};{program}"))
    set(${list} "${placed}" PARENT_SCOPE)
  else()
    set(${list} "" PARENT_SCOPE)
  endif()
endfunction()

# Words without anything to escape, as JSON.
function(_tryall_json_list result)
  if(ARGC EQUAL 1)
    set(${result} "[]" PARENT_SCOPE)
  else()
    list(JOIN ARGN "\",\"" text)
    set(${result} "[\"${text}\"]" PARENT_SCOPE)
  endif()
endfunction()
