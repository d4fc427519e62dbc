/* The real one has nothing that the host lacks. */
#include "../../../../kernel/arch/x86_64/include/arch/irq.h"
