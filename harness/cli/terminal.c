/* terminal.c - errors, terminals and signals. */
#include "cli/cli.h"

#include "base/buf.h"
#include "base/parse.h"
#include "pg/interrupt.h"
#include "report.h"

#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int ob_cli_error(const struct ob_error *err)
{
    bool unicode = ob_cli_unicode();
    struct ob_buf text;
    fflush(stdout); /* what came before it stands before it; ob_cli_finish sees a failure */
    ob_buf_init(&text, SIZE_MAX);
    ob_buf_puts(&text, "overbook: ");
    ob_report_plain(err->message, unicode, 0, &text);
    ob_report_plain(err->detail, unicode, 2, &text);
    if (err->hint[0] != '\0') {
        ob_buf_puts(&text, "  Hint: ");
        ob_report_plain(err->hint, unicode, 0, &text);
    }
    fputs(text.data, stderr);
    ob_buf_clear(&text);
    if (err->code == OB_INTERRUPTED)
        return OB_EXIT_INCONCLUSIVE;
    bool usage = err->code == OB_USAGE || err->code == OB_INPUT || err->code == OB_REFUSED;
    return usage ? OB_EXIT_USAGE : OB_EXIT_FAILED;
}

int ob_cli_finish(int status)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    struct ob_error err;
    if (errno != 0)
        ob_error_set(&err, OB_IO, "could not write to standard output: %s", strerror(errno));
    else /* it was some time ago */
        ob_error_set(&err, OB_IO, "could not write to standard output");
    return ob_cli_error(&err);
}

bool ob_cli_color(enum ob_when when, int fd)
{
    if (when != OB_AUTO)
        return when == OB_ALWAYS;
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return isatty(fd) && !(no_color && no_color[0] != '\0') && term && strcmp(term, "dumb") != 0;
}

int ob_cli_width(int fd)
{
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    const char *columns = getenv("COLUMNS");
    uint64_t width = 80;
    return columns && ob_parse_u64(columns, 1, INT16_MAX, &width) ? (int)width : 80;
}

bool ob_cli_unicode(void)
{
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static void note_signal(int number)
{
    ob_pg_interrupt();
    signal(number, SIG_DFL);
}

void ob_cli_catch_signals(void)
{
    struct sigaction action = {.sa_handler = note_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGUSR1, &action, NULL);
}

bool ob_cli_interrupted(void)
{
    return ob_pg_interrupted();
}

void ob_cli_say_interrupted(void)
{
    fflush(stdout);
    fprintf(stderr, "overbook: interrupted; what is above is what was done until then\n");
}
