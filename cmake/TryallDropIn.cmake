# SPDX-License-Identifier: Apache-2.0 OR MIT
#[=======================================================================[.rst:
TryallDropIn
------------

Makes the compiler checks of an unmodified project go through tryall::

  cmake -DCMAKE_PROJECT_INCLUDE=<dir>/TryallDropIn.cmake -S <source> -B <build>

Everything that the project and CMake's own modules run with ``try_compile``, ``try_run`` and the
``check_*`` commands is answered as stock CMake answers it, by the same compiler commands, but in
batches. Stock CMake runs any check that tryall does not fully understand. The last line of the
configure step says how many checks went which way.

Variables:

``TRYALL_EXECUTABLE``
  The program; looked for on ``PATH`` if not set. Without it, CMake runs all checks.

``TRYALL_VERIFY``
  Runs every check both ways, and fails the configure step if an answer differs.

``TRYALL_PROJECT_INCLUDE``
  A file to include here: your own ``CMAKE_PROJECT_INCLUDE``.
#]=======================================================================]

include("${CMAKE_CURRENT_LIST_DIR}/tryall/Tryall.cmake")
_tryall_start(dropin)

if(TRYALL_PROJECT_INCLUDE)
  # project() includes without a policy scope.
  foreach(_tryall_file IN LISTS TRYALL_PROJECT_INCLUDE)
    include("${_tryall_file}" NO_POLICY_SCOPE)
  endforeach()
  unset(_tryall_file)
endif()
