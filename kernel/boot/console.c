/*
 * Messages of the loader, and its end when it cannot go on. Output goes to the
 * firmware's console, and to COM1 for those who have no other: polled, with a
 * bound, so that a missing or stuck port costs nothing. Boot services.
 */
#include "kernel/boot/loader.h"

#include <stdarg.h>

#include <arch/cpu.h>

#define MESSAGE_MAX 512

/* 16550 UART at its PC address (TL16C550C data sheet, table 3). */
#define COM1            0x3f8
#define UART_DATA       (COM1 + 0)
#define UART_DIVISOR_LO (COM1 + 0) /* with LCR_DLAB */
#define UART_DIVISOR_HI (COM1 + 1)
#define UART_FIFO       (COM1 + 2)
#define UART_LINE       (COM1 + 3)
#define UART_MODEM      (COM1 + 4)
#define UART_STATUS     (COM1 + 5)
#define FIFO_ENABLE     0x01
#define LINE_8N1        0x03
#define LINE_DLAB       0x80
#define MODEM_DTR_RTS   0x03
#define STATUS_IDLE     0x20 /* transmitter holding register empty */
#define STATUS_NO_PORT  0xff
#define UART_POLLS_MAX  100000

EFI_SYSTEM_TABLE *loader_system;
EFI_HANDLE loader_handle;
static bool headless;
static bool uart_broken;

static void uart_init(void)
{
    if (arch_in8(UART_STATUS) == STATUS_NO_PORT) {
        uart_broken = true;
        return;
    }
    arch_out8(UART_LINE, LINE_8N1 | LINE_DLAB);
    arch_out8(UART_DIVISOR_LO, 1); /* 115200 baud */
    arch_out8(UART_DIVISOR_HI, 0);
    arch_out8(UART_LINE, LINE_8N1);
    arch_out8(UART_FIFO, FIFO_ENABLE);
    arch_out8(UART_MODEM, MODEM_DTR_RTS);
}

static void uart_put(char c)
{
    for (unsigned i = 0; i < UART_POLLS_MAX && !uart_broken; i++) {
        if (arch_in8(UART_STATUS) & STATUS_IDLE) {
            arch_out8(UART_DATA, (uint8_t)c);
            return;
        }
        arch_pause();
    }
    uart_broken = true;
}

/* Lines end in "\n". */
static void print(const char *text)
{
    SIMPLE_TEXT_OUTPUT_INTERFACE *console = loader_system->ConOut;
    CHAR16 wide[MESSAGE_MAX * 2];
    size_t used = 0;

    for (; *text && used < MESSAGE_MAX * 2 - 2; text++) {
        if (*text == '\n') {
            wide[used++] = '\r';
            uart_put('\r');
        }
        wide[used++] = (unsigned char)*text < 0x7f ? (CHAR16)*text : '?';
        uart_put(*text);
    }
    wide[used] = 0;
    if (console)
        console->OutputString(console, wide);
}

static void print_message(const char *fmt, va_list ap)
{
    char text[MESSAGE_MAX], line[MESSAGE_MAX + sizeof("RayOS: \n")];

    /* In one piece: where the firmware's console is COM1 too, the line is there
     * twice, but whole. */
    fmt_vsnprintf(text, sizeof(text), fmt, ap);
    fmt_snprintf(line, sizeof(line), "RayOS: %s\n", text);
    print(line);
}

void loader_init(EFI_HANDLE handle, EFI_SYSTEM_TABLE *system)
{
    loader_handle = handle;
    loader_system = system;
    uart_init();
    /* The firmware's watchdog would reset the machine under a person who reads
     * a message. */
    system->BootServices->SetWatchdogTimer(0, 0, 0, NULL);
}

void loader_set_headless(void)
{
    headless = true;
}

void loader_warn(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print_message(fmt, ap);
    va_end(ap);
}

static void wait_for_key(void)
{
    SIMPLE_INPUT_INTERFACE *keyboard = loader_system->ConIn;
    EFI_INPUT_KEY key;
    UINTN index;

    print("Press a key to return to the firmware.\n");
    if (!keyboard)
        return;
    keyboard->Reset(keyboard, FALSE);
    loader_system->BootServices->WaitForEvent(1, &keyboard->WaitForKey, &index);
    keyboard->ReadKeyStroke(keyboard, &key);
}

void loader_fail(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    print_message(fmt, ap);
    va_end(ap);
    if (headless) {
        print("RayOS: headless, the machine is reset.\n");
        loader_system->RuntimeServices->ResetSystem(EfiResetWarm,
                                                    EFI_LOAD_ERROR, 0, NULL);
    }
    wait_for_key();
    pages_free_all();
    loader_system->BootServices->Exit(loader_handle, EFI_LOAD_ERROR, 0, NULL);
    for (;;)
        arch_halt();
}

const char *loader_status(EFI_STATUS status)
{
    switch (status) {
    case EFI_NOT_FOUND:
        return "not found";
    case EFI_DEVICE_ERROR:
        return "the device reports an error";
    case EFI_VOLUME_CORRUPTED:
        return "the file system is damaged";
    case EFI_OUT_OF_RESOURCES:
        return "out of memory";
    case EFI_ACCESS_DENIED:
        return "access denied";
    case EFI_NO_MEDIA:
    case EFI_MEDIA_CHANGED:
        return "the medium was removed";
    case EFI_UNSUPPORTED:
        return "not supported";
    case EFI_INVALID_PARAMETER:
        return "invalid parameter";
    default:
        return "unexpected firmware error";
    }
}
