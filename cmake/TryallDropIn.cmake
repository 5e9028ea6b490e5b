# SPDX-License-Identifier: Apache-2.0 OR MIT
#[=======================================================================[.rst:
TryallDropIn
------------

Makes the compiler checks of an unmodified project go through tryall::

  cmake -DCMAKE_PROJECT_INCLUDE=<dir>/TryallDropIn.cmake -S <source> -B <build>

Everything that the project and CMake's own modules run with ``try_compile``, ``try_run`` and the
``check_*`` commands is answered when it is asked, as CMake alone answers it: from the store, or by
the same compiler commands. CMake itself runs any check that tryall does not fully understand. The
last line of the configure step says how many checks went which way.

Variables:

``TRYALL_EXECUTABLE``
  The program; looked for on ``PATH`` if not set. Without it, CMake runs all checks.

``TRYALL_VERIFY``
  Has CMake run every check, too, and fails the configure step if an answer differs.

``TRYALL_PROJECT_INCLUDE``
  Files to include here: your own ``CMAKE_PROJECT_INCLUDE``.
#]=======================================================================]

include("${CMAKE_CURRENT_LIST_DIR}/tryall/Door.cmake")
_tryall_open(dropin)

# If another compiler was given, CMake drops the cache and configures once more, with what is in this list.
get_property(_tryall_kept GLOBAL PROPERTY __CMAKE_DELETE_CACHE_CHANGE_VARS_)
if(_tryall_kept)
  set_property(GLOBAL APPEND PROPERTY __CMAKE_DELETE_CACHE_CHANGE_VARS_
    CMAKE_PROJECT_INCLUDE "${CMAKE_CURRENT_LIST_FILE}")
  foreach(_tryall_name IN ITEMS TRYALL_EXECUTABLE TRYALL_PROJECT_INCLUDE TRYALL_VERIFY)
    if(DEFINED CACHE{${_tryall_name}})
      set_property(GLOBAL APPEND PROPERTY __CMAKE_DELETE_CACHE_CHANGE_VARS_
        ${_tryall_name} "$CACHE{${_tryall_name}}")
    endif()
  endforeach()
  unset(_tryall_name)
endif()
unset(_tryall_kept)

if(TRYALL_PROJECT_INCLUDE)
  # project() includes without a policy scope.
  foreach(_tryall_file IN LISTS TRYALL_PROJECT_INCLUDE)
    include("${_tryall_file}" NO_POLICY_SCOPE)
  endforeach()
  unset(_tryall_file)
endif()
