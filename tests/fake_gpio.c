/* GPIO character devices for a program under test, below its libgpiod: open(2), ioctl(2) and stat(2) of /dev/gpiochip0.
 *
 * gpio-sim and gpio-mockup need kernel modules, and CUSE cannot return the new descriptor that a line request is. So the
 * calls are answered here, in the program, by LD_PRELOAD. A line of the log is written for each request and each value;
 * the descriptor of a request is a named pipe, into which a test writes the kernel's events.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/gpio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define CHIP "/dev/gpiochip0"
#define LINES 32
#define MAJOR 254

static unsigned char taken[LINES];
static unsigned int offsets[1024][GPIO_V2_LINES_MAX];
static unsigned int counts[1024];
static int chip_fd = -1;

static void note(const char *form, ...)
{
    char path[4096], text[256];
    va_list arguments;
    snprintf(path, sizeof path, "%s/log", getenv("FAKE_GPIO"));
    va_start(arguments, form);
    int length = vsnprintf(text, sizeof text, form, arguments);
    va_end(arguments);
    int (*really)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int file = really(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (write(file, text, length) != length)
        abort();
    close(file);
}

static void fake_stat(struct stat *about)
{
    memset(about, 0, sizeof *about);
    about->st_mode = S_IFCHR | 0600;
    about->st_rdev = makedev(MAJOR, 0);
}

/* Older programs call the first two, newer ones the others. */
#define VERSIONED(name)                                                                  \
    int name(int version, const char *path, struct stat *about)                          \
    {                                                                                    \
        if (!strcmp(path, CHIP))                                                         \
            return fake_stat(about), 0;                                                  \
        int (*really)(int, const char *, struct stat *) = dlsym(RTLD_NEXT, #name);       \
        return really(version, path, about);                                             \
    }
#define PLAIN(name)                                                                      \
    int name(const char *path, struct stat *about)                                       \
    {                                                                                    \
        if (!strcmp(path, CHIP))                                                         \
            return fake_stat(about), 0;                                                  \
        int (*really)(const char *, struct stat *) = dlsym(RTLD_NEXT, #name);            \
        return really(path, about);                                                      \
    }
VERSIONED(__lxstat)
VERSIONED(__xstat)
PLAIN(lstat)
PLAIN(stat)

char *realpath(const char *path, char *resolved)
{
    char *(*really)(const char *, char *) = dlvsym(RTLD_NEXT, "realpath", "GLIBC_2.3");
    if (!really)
        really = dlsym(RTLD_NEXT, "realpath");
    if (!strncmp(path, "/sys/dev/char/254:0/subsystem", 29)) {
        static const char bus[] = "/sys/bus/gpio";
        return resolved ? strcpy(resolved, bus) : strdup(bus);
    }
    return really(path, resolved);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    va_start(arguments, flags);
    int mode = va_arg(arguments, int);
    va_end(arguments);
    int (*really)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    if (!strcmp(path, CHIP))
        return chip_fd = really("/dev/null", O_RDWR | O_CLOEXEC);
    return really(path, flags, mode);
}

static unsigned long long flags_of(const struct gpio_v2_line_config *config, unsigned int line)
{
    for (unsigned int i = 0; i < config->num_attrs; i++)
        if (config->attrs[i].attr.id == GPIO_V2_LINE_ATTR_ID_FLAGS && (config->attrs[i].mask >> line & 1))
            return config->attrs[i].attr.flags;
    return config->flags;
}

static int request_lines(struct gpio_v2_line_request *request)
{
    for (unsigned int i = 0; i < request->num_lines; i++) {
        if (request->offsets[i] >= LINES)
            return errno = EINVAL, -1;
        if (taken[request->offsets[i]])
            return errno = EBUSY, -1;
    }
    char path[4096];
    snprintf(path, sizeof path, "%s/line%u", getenv("FAKE_GPIO"), request->offsets[0]);
    mkfifo(path, 0600);
    int (*really)(const char *, int, ...) = dlsym(RTLD_NEXT, "open");
    int fd = really(path, O_RDWR | O_CLOEXEC);
    if (fd < 0 || fd >= 1024)
        abort();
    counts[fd] = request->num_lines;
    for (unsigned int i = 0; i < request->num_lines; i++) {
        unsigned long long flags = flags_of(&request->config, i);
        taken[request->offsets[i]] = 1;
        offsets[fd][i] = request->offsets[i];
        note("request %u %s%s%s by %s\n", request->offsets[i], flags & GPIO_V2_LINE_FLAG_OUTPUT ? "output" : "input",
             flags & GPIO_V2_LINE_FLAG_ACTIVE_LOW ? " low" : "", flags & GPIO_V2_LINE_FLAG_BIAS_PULL_UP ? " pull-up" : "",
             request->consumer);
    }
    request->fd = fd;
    return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
    /* A caller with an int for the code extends its sign; the kernel looks at 32 bits. */
    unsigned int code = request;
    va_list arguments;
    va_start(arguments, request);
    void *argument = va_arg(arguments, void *);
    va_end(arguments);
    if (code == GPIO_GET_CHIPINFO_IOCTL && fd == chip_fd) {
        struct gpiochip_info *info = argument;
        memset(info, 0, sizeof *info);
        strcpy(info->name, "gpiochip0");
        strcpy(info->label, "fake");
        info->lines = LINES;
        return 0;
    }
    if (code == GPIO_V2_GET_LINE_IOCTL && fd == chip_fd)
        return request_lines(argument);
    if (code == GPIO_V2_GET_LINEINFO_IOCTL && fd == chip_fd) {
        struct gpio_v2_line_info *info = argument;
        unsigned int offset = info->offset;
        memset(info, 0, sizeof *info);
        info->offset = offset;
        return offset < LINES ? 0 : (errno = EINVAL, -1);
    }
    if (code == GPIO_V2_LINE_SET_VALUES_IOCTL) {
        struct gpio_v2_line_values *values = argument;
        if (getenv("FAKE_GPIO_BROKEN"))
            return errno = EIO, -1;
        for (unsigned int i = 0; i < counts[fd]; i++)
            if (values->mask >> i & 1)
                note("set %u %d\n", offsets[fd][i], (int)(values->bits >> i & 1));
        return 0;
    }
    int (*really)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
    return really(fd, request, argument);
}
