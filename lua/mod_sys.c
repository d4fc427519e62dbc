/*
 * Module `sys`: the machine and its state, time, and its end. Listings are in
 * mod_sys_list.c, the wall clock and chance in mod_sys_time.c, test hooks in
 * mod_sys_test.c. Domain's thread.
 */
#include <string.h>

#include <arch/cpu.h>
#include <arch/features.h>
#include <rayos/acpi.h>
#include <rayos/boot.h>
#include <rayos/clock.h>
#include <rayos/cmdline.h>
#include <rayos/efi_runtime.h>
#include <rayos/log.h>
#include <rayos/panic.h>
#include <rayos/power.h>

#include "lua/mod_sys.h"

#define SYSTEM_NAME    "RayOS"
#define SYSTEM_VERSION "0.1.0"

/* Boots in a row that did not reach the prompt, before safe mode comes on. */
#define FAILED_BOOTS_MAX 2

void sys_set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

void sys_set_integer(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

void sys_set_seconds(lua_State *L, const char *name, nstime_t ns)
{
    lua_pushnumber(L, (lua_Number)ns / 1e9);
    lua_setfield(L, -2, name);
}

/* --- what this is --- */

static int sys_version(lua_State *L)
{
    lua_createtable(L, 0, 4);
    sys_set_string(L, "name", SYSTEM_NAME);
    sys_set_string(L, "version", SYSTEM_VERSION);
    sys_set_string(L, "build", __VERSION__);
    sys_set_string(L, "lua", LUA_RELEASE);
    return 1;
}

/* The table that configure.py wrote into the archive. */
static int sys_about(lua_State *L)
{
    lua_getglobal(L, "require");
    lua_pushliteral(L, "about_data");
    lua_call(L, 1, 1);
    return 1;
}

static uint64_t installed_memory(void)
{
    struct frame_stats st;

    frame_get_stats(&st);
    return st.total * PAGE_SIZE;
}

static int sys_machine(lua_State *L)
{
    const struct arch_cpu_info *cpu = arch_cpu_info();
    const struct boot_info *boot = boot_info_get();
    struct frame_stats st;

    frame_get_stats(&st);
    lua_createtable(L, 0, 12);
    sys_set_string(L, "vendor", cpu->vendor);
    sys_set_string(L, "brand", cpu->brand);
    sys_set_string(L, "hypervisor", cpu->hypervisor);
    sys_set_integer(L, "cpus", cpu_count());
    sys_set_integer(L, "memory", installed_memory());
    sys_set_integer(L, "free", st.free * PAGE_SIZE);
    sys_set_string(L, "firmware", boot->efi_system_table ? "UEFI" : "none");
    lua_pushboolean(L, acpi_info()->present);
    lua_setfield(L, -2, "acpi");
    sys_set_string(L, "clock", clock_source());
    sys_set_integer(L, "tsc_hz", clock_tsc_hz());
    sys_set_string(L, "virtualization",
                   cpu->vmx ? "VMX" : (cpu->svm ? "SVM" : "none"));
    return 1;
}

static int sys_cmdline(lua_State *L)
{
    const char *value;

    if (lua_isnoneornil(L, 1)) {
        lua_pushstring(L, cmdline_text());
        return 1;
    }
    value = cmdline_get(luaL_checkstring(L, 1));
    lua_pushstring(L, value); /* NULL: nil */
    return 1;
}

/* --- time --- */

static int sys_uptime(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)clock_now() / 1e9);
    return 1;
}

static int sys_sleep(lua_State *L)
{
    nstime_t deadline;
    int err;

    luaL_checknumber(L, 1);
    deadline = module_deadline(L, 1);
    do
        err = thread_sleep_until(deadline);
    while (domain_wait_again(L, err));
    return 0;
}

/* --- boot and end --- */

static const char *safe_reason(void)
{
    if (cmdline_has("safe"))
        return "asked for on the command line";
    if (boot_info_get()->failed_boots >= FAILED_BOOTS_MAX)
        return "earlier boots did not reach the prompt";
    return NULL;
}

static int sys_safe_mode(lua_State *L)
{
    const char *reason = safe_reason();

    lua_pushboolean(L, reason != NULL);
    lua_pushstring(L, reason);
    return 2;
}

static int sys_last_panic(lua_State *L)
{
    lua_pushstring(L, panic_last());
    return 1;
}

/* When the first prompt was there; 0: not yet. */
static uint64_t prompt_tsc;

/* Ticks that the boot CPU had slept by then. */
static uint64_t prompt_idle;

static uint64_t boot_cpu_idle(void)
{
    return clock_calibration_idle() + clock_to_tsc(sched_idle_time(0)) -
           clock_to_tsc(0);
}

/* A prompt is there; the time of the first one counts. On return the firmware
 * knows of it, whoever told it. */
static int sys_boot_done(lua_State *L)
{
    uint64_t none = 0;

    (void)L;
    if (__atomic_compare_exchange_n(&prompt_tsc, &none, arch_tsc(), false,
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) {
        prompt_idle = boot_cpu_idle();
        log_info("boot", "prompt after %u ms",
                 (unsigned)(clock_now() / NS_PER_MS));
    }
    efi_boot_succeeded();
    return 0;
}

/* Ticks of the TSC at the stages of the start. */
static int sys_boot_times(lua_State *L)
{
    const struct boot_info *boot = boot_info_get();
    uint64_t prompt = __atomic_load_n(&prompt_tsc, __ATOMIC_SEQ_CST);

    lua_createtable(L, 0, 4);
    sys_set_integer(L, "loader", boot->loader_tsc);
    sys_set_integer(L, "handover", boot->handover_tsc);
    if (prompt) {
        sys_set_integer(L, "prompt", prompt);
        sys_set_integer(L, "idle", prompt_idle);
    }
    return 1;
}

static int sys_tsc(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)arch_tsc());
    return 1;
}

static int sys_poweroff(lua_State *L)
{
    (void)L;
    power_request(POWER_OFF);
    return 0;
}

static int sys_reboot(lua_State *L)
{
    (void)L;
    power_request(POWER_RESET);
    return 0;
}

static void sys_extend(lua_State *L)
{
    sys_open_test(L);
    lua_setfield(L, -2, "test");
}

static const struct lua_function sys_functions[] = {
    {"version", sys_version, NULL},
    {"about", sys_about, NULL},
    {"machine", sys_machine, NULL},
    {"cmdline", sys_cmdline, NULL},
    {"uptime", sys_uptime, NULL},
    {"time", sys_time, NULL},
    {"set_time", sys_set_time, "time"},
    {"random", sys_random, NULL},
    {"entropy", sys_entropy, NULL},
    {"sleep", sys_sleep, NULL},
    {"memory", sys_memory, NULL},
    {"cpus", sys_cpus, NULL},
    {"threads", sys_threads, NULL},
    {"interrupts", sys_interrupts, NULL},
    {"units", sys_units, NULL},
    {"safe_mode", sys_safe_mode, NULL},
    {"last_panic", sys_last_panic, NULL},
    {"tsc", sys_tsc, NULL},
    {"boot_times", sys_boot_times, NULL},
    {"boot_done", sys_boot_done, "console"},
    {"poweroff", sys_poweroff, "power"},
    {"reboot", sys_reboot, "power"},
    {0},
};

LUA_MODULE(sys, .functions = sys_functions, .extend = sys_extend);
