# SPDX-License-Identifier: Apache-2.0 OR MIT
# A placeholder: only hands on the user's own file.
if(TRYALL_PROJECT_INCLUDE)
  include("${TRYALL_PROJECT_INCLUDE}" NO_POLICY_SCOPE)
endif()
