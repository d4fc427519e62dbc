/* The same for the host. */
#include "../../../../kernel/arch/x86_64/include/arch/paging.h"
