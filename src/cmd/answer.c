/* handle, parse, verify and connectors explain: one request, one answer. */
#include <stdio.h>

#include "cmd/args.h"

static void help(const char *what)
{
    printf("usage: payhook %s --connector NAME [OPTION…]\n\n"
           "  --connector NAME             the processor (payhook connectors list)\n"
           "  --secret-env NAME            a secret, from the environment; may repeat, tried in order\n"
           "  --secret-file FILE           a secret, from a file\n"
           "  --additional-secret-env, --additional-secret-file   what belongs to the secret before it\n"
           "  --config NAME=VALUE          a config field; NAME=@FILE reads it from a file\n"
           "  --request FILE               a raw HTTP message or a HAR; or by parts:\n"
           "  --header 'N: v'  --uri URI  --method M  --body FILE|-\n"
           "  --at UNIX_SECONDS            when it was received (default: now)\n"
           "  --capture-method WORD        AUTOMATIC, MANUAL, …: what the payment was created with\n"
           "  --event-id ID                echoed as merchant_event_id\n"
           "  --connectors DIR             further pages\n"
           "  --as handle-event            handle: the answer of HandleEvent\n"
           "  --ndjson                     one request per line of standard input, one answer per line\n\n"
           "exit code: 0 verified (parse: read), 1 not verified, 2 an error\n",
           what);
}

static int say(struct ph_slice out)
{
    fwrite(out.ptr, 1, out.len, stdout);
    fputc('\n', stdout);
    return PH_EXIT_OK;
}

static int say_error(struct ph_arena *arena, struct ph_slice code, struct ph_slice message)
{
    struct ph_slice out;
    if (ph_wire_write_error_json(arena, code, message, &out) == PH_OK)
        (void)say(out);
    return PH_EXIT_USAGE;
}

static void put(const char *label, struct ph_slice s)
{
    printf("  %-26s ", label);
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == '\n')
            fputs("\\n", stdout);
        else if (c < 0x20 || c == 0x7f)
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    putchar('\n');
}

static int say_verdict(const struct ph_answer *a, bool explain)
{
    const struct ph_event *e = &a->events[0];
    struct ph_slice name = ph_word_name(PH_WORDS_VERDICT, e->verdict);
    bool all = true;
    for (size_t i = 0; i < a->event_count; i++)
        all = all && a->events[i].verdict == PH_VERIFIED;
    if (explain) {
        for (size_t i = 0; i < a->trace_count; i++) {
            char label[64];
            snprintf(label, sizeof(label), "%.*s", (int)a->trace[i].label.len, a->trace[i].label.ptr);
            put(label, a->trace[i].text);
        }
    }
    printf("%.*s: %.*s\n", (int)name.len, name.ptr, (int)e->verdict_reason.len, e->verdict_reason.ptr);
    return all ? PH_EXIT_OK : PH_EXIT_NOT_VERIFIED;
}

enum say_as { SAY_JSON, SAY_VERDICT, SAY_EXPLAIN };

static int run_one(struct ph_args *args, enum ph_form form, enum say_as as)
{
    struct ph_request request;
    struct ph_input in;
    struct ph_answer a;
    struct ph_slice out;
    const struct ph_connector *connector = ph_args_connector(args, args->connector);
    struct ph_worker *worker = connector != NULL ? ph_worker_new(&ph_cmd_allocator) : NULL;
    if (worker == NULL)
        return PH_EXIT_USAGE;
    int code = PH_EXIT_USAGE;
    ph_args_input(args, connector, &request, &in);
    in.explain = as == SAY_EXPLAIN;
    enum ph_want want = form == PH_FORM_PARSE ? PH_WANT_REFERENCE : as == SAY_JSON ? PH_WANT_ALL : PH_WANT_VERDICT;
    if (form == PH_FORM_HANDLE_EVENT)
        want = (enum ph_want)(want | PH_WANT_PEER_REPLY);
    enum ph_status st = ph_engine_run(worker, &in, want, &a);
    if (st != PH_OK) {
        code = say_error(ph_worker_arena(worker), PH_S("INTERNAL"), ph_slice_str(ph_status_text(st)));
    } else if (a.error != PH_E_NONE) {
        code = say_error(ph_worker_arena(worker), ph_error_code_name(a.error), a.error_message);
    } else if (as != SAY_JSON) {
        code = say_verdict(&a, as == SAY_EXPLAIN);
    } else if (ph_wire_write_json(ph_worker_arena(worker), form, &a, &out) == PH_OK) {
        (void)say(out);
        code = PH_EXIT_OK;
        for (size_t i = 0; form != PH_FORM_PARSE && i < a.event_count; i++)
            if (a.events[i].verdict != PH_VERIFIED)
                code = PH_EXIT_NOT_VERIFIED;
    }
    ph_worker_free(worker);
    return code;
}

int ph_cmd_answer(int argc, char **argv, enum ph_form form)
{
    struct ph_args args;
    int code = PH_EXIT_USAGE;
    if (!ph_args_read(&args, argc, argv)) {
        ph_args_done(&args);
        return code;
    }
    if (args.as != NULL && strcmp(args.as, "handle-event") == 0 && form == PH_FORM_HANDLE) {
        form = PH_FORM_HANDLE_EVENT;
    } else if (args.as != NULL && strcmp(args.as, "handle") != 0) {
        fprintf(stderr, "payhook: --as takes handle or handle-event\n");
        ph_args_done(&args);
        return code;
    }
    if (args.help) {
        help(argv[0]);
        code = PH_EXIT_OK;
    } else {
        code = args.ndjson ? ph_cmd_ndjson(&args, form) : run_one(&args, form, SAY_JSON);
    }
    ph_args_done(&args);
    return code;
}

int ph_cmd_verify(int argc, char **argv)
{
    struct ph_args args;
    int code = PH_EXIT_USAGE;
    if (ph_args_read(&args, argc, argv)) {
        bool explain = args.word_count > 0 && strcmp(args.words[0], "explain") == 0;
        if (args.help) {
            help(explain ? "connectors explain" : "verify");
            code = PH_EXIT_OK;
        } else if (args.ndjson) {
            code = ph_cmd_ndjson(&args, PH_FORM_HANDLE);
        } else {
            code = run_one(&args, PH_FORM_HANDLE, explain ? SAY_EXPLAIN : SAY_VERDICT);
        }
    }
    ph_args_done(&args);
    return code;
}
