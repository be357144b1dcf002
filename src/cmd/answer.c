/* handle, parse, verify and connectors explain: one request, one answer. */
#include <stdio.h>

#include "cmd/args.h"
#include "cmd/print.h"
#include "os/heap.h"

/* What one run of a command is about. */
struct answering {
    struct ph_args *args;
    struct ph_worker *worker;
    enum ph_form form;
    bool text; /* for a person */
};

static int exit_of(enum ph_verdict verdict)
{
    switch (verdict) {
    case PH_VERIFIED:
        return PH_EXIT_OK;
    case PH_STALE:
        return PH_EXIT_STALE;
    case PH_NO_SIGNATURE:
        return PH_EXIT_NO_SIGNATURE;
    case PH_NO_SECRET:
        return PH_EXIT_NO_SECRET;
    case PH_UNSIGNED:
        return PH_EXIT_UNSIGNED;
    case PH_UNREACHABLE:
        return PH_EXIT_UNREACHABLE;
    case PH_UNSUPPORTED:
        return PH_EXIT_UNSUPPORTED;
    case PH_FORGED:
    default:
        return PH_EXIT_FORGED;
    }
}

/* The event that decides: the first that is not verified, else the first. */
static size_t deciding(const struct ph_answer *a)
{
    for (size_t i = 0; i < a->event_count; i++)
        if (a->events[i].verdict != PH_VERIFIED)
            return i;
    return 0;
}

static int say(struct ph_slice out)
{
    ph_print_json(out);
    fputc('\n', stdout);
    return PH_EXIT_OK;
}

static int say_error(const struct answering *run, struct ph_slice code, struct ph_slice message)
{
    struct ph_slice out;
    if (run->text) {
        printf("%.*s: ", (int)code.len, code.ptr);
        ph_print_escaped(message);
        putchar('\n');
    } else if (ph_wire_write_error_json(ph_worker_arena(run->worker), code, message, &out) ==
               PH_OK) {
        (void)say(out);
    }
    return PH_EXIT_FAILED;
}

static void say_trace(const struct ph_answer *a)
{
    for (size_t i = 0; i < a->trace_count; i++) {
        printf("  %-26.*s ", (int)a->trace[i].label.len, a->trace[i].label.ptr);
        ph_print_escaped(a->trace[i].text);
        putchar('\n');
    }
}

static void say_verdict(const struct answering *run, const struct ph_answer *a)
{
    size_t at = deciding(a);
    const struct ph_event *e = &a->events[at];
    struct ph_slice name = ph_word_name(PH_WORDS_VERDICT, e->verdict);
    if (!run->text) {
        struct ph_arena *arena = ph_worker_arena(run->worker);
        printf("{\"verdict\":");
        ph_print_json_string(arena, name);
        printf(",\"verdict_reason\":");
        ph_print_json_string(arena, e->verdict_reason);
        printf(",\"matched_secret\":%d,\"events\":%zu}\n", (int)e->matched_secret, a->event_count);
        return;
    }
    if (a->event_count > 1 && e->verdict != PH_VERIFIED)
        printf("event %zu of %zu: ", at + 1, a->event_count);
    printf("%.*s: ", (int)name.len, name.ptr);
    ph_print_escaped(e->verdict_reason);
    putchar('\n');
}

static int say_answer(const struct answering *run, const struct ph_answer *a)
{
    struct ph_slice out;
    enum ph_command command = run->args->command;
    if (command == PH_CMD_EXPLAIN)
        say_trace(a);
    if (a->error != PH_E_NONE)
        return say_error(run, ph_error_code_name(a->error), a->error_message);
    if (command == PH_CMD_VERIFY || command == PH_CMD_EXPLAIN) {
        say_verdict(run, a);
    } else if (run->text) {
        for (size_t i = 0; i < a->event_count; i++) {
            printf("%s", i > 0 ? "\n" : "");
            ph_print_event(&a->events[i]);
        }
    } else {
        if (ph_wire_write_json(ph_worker_arena(run->worker), run->form, a, &out) != PH_OK)
            return say_error(run, PH_S("INTERNAL"), ph_slice_str(ph_status_text(PH_ERR_NO_MEMORY)));
        (void)say(out);
    }
    return command == PH_CMD_PARSE ? PH_EXIT_OK : exit_of(a->events[deciding(a)].verdict);
}

static int run_one(struct answering *run, const struct ph_connector *connector)
{
    struct ph_request request;
    struct ph_input in;
    struct ph_answer a;
    static const struct {
        enum ph_command command;
        enum ph_want want;
    } wants[] = {{PH_CMD_HANDLE, PH_WANT_ALL},
                 {PH_CMD_PARSE, PH_WANT_REFERENCE},
                 {PH_CMD_VERIFY, PH_WANT_VERDICT},
                 {PH_CMD_EXPLAIN, PH_WANT_VERDICT}};
    int want = 0;
    for (size_t i = 0; i < PH_COUNTOF(wants); i++)
        if (wants[i].command == run->args->command)
            want = (int)wants[i].want;
    if (run->form == PH_FORM_HANDLE_EVENT)
        want |= PH_WANT_PEER_REPLY;
    ph_args_input(run->args, connector, &request, &in);
    in.explain = run->args->command == PH_CMD_EXPLAIN;
    enum ph_status st = ph_engine_run(run->worker, &in, (enum ph_want)want, &a);
    if (st != PH_OK)
        return say_error(run, PH_S("INTERNAL"), ph_slice_str(ph_status_text(st)));
    return say_answer(run, &a);
}

/* --as and --output; false: what is wrong has been said. */
static bool read_forms(struct answering *run)
{
    const char *as = run->args->one[PH_OPT_AS], *output = run->args->one[PH_OPT_OUTPUT];
    run->form = run->args->command == PH_CMD_PARSE ? PH_FORM_PARSE : PH_FORM_HANDLE;
    if (as != NULL && strcmp(as, "handle-event") == 0)
        run->form = PH_FORM_HANDLE_EVENT;
    else if (as != NULL && strcmp(as, "handle") != 0)
        return ph_args_wrong("--as takes handle or handle-event, not", as) == PH_EXIT_OK;
    run->text = (run->args->command & (PH_CMD_VERIFY | PH_CMD_EXPLAIN)) != 0;
    if (output != NULL && strcmp(output, "text") != 0 && strcmp(output, "json") != 0)
        return ph_args_wrong("--output takes json or text, not", output) == PH_EXIT_OK;
    if (output != NULL)
        run->text = strcmp(output, "text") == 0;
    return true;
}

static int run_command(struct ph_args *args)
{
    struct answering run = {.args = args};
    size_t words = args->command == PH_CMD_EXPLAIN ? 1 : 0; /* "explain" itself */
    if (args->word_count > words)
        return ph_args_wrong("takes options only, not", args->words[words]);
    if (!read_forms(&run))
        return PH_EXIT_USAGE;
    if (args->one[PH_OPT_NDJSON] != NULL)
        return ph_cmd_ndjson(args);
    if (args->one[PH_OPT_REQUEST] == NULL && args->one[PH_OPT_BODY] == NULL)
        return ph_args_wrong(
            "which request? --request FILE, or --body FILE with --header and --uri", NULL);
    const struct ph_connector *connector = ph_args_connector(args, args->one[PH_OPT_CONNECTOR]);
    if (connector == NULL)
        return PH_EXIT_USAGE;
    run.worker = ph_worker_new(&ph_os_heap);
    if (run.worker == NULL) {
        fprintf(stderr, "payhook: out of memory\n");
        return PH_EXIT_FAILED;
    }
    int code = run_one(&run, connector);
    ph_worker_free(run.worker);
    return code;
}

int ph_cmd_answer(int argc, char **argv, enum ph_command command)
{
    struct ph_args args;
    bool help;
    int code = ph_args_read(&args, command, argc, argv, &help);
    if (code == PH_EXIT_OK && !help)
        code = run_command(&args);
    ph_args_done(&args);
    return code;
}
