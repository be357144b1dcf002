/* Runs connector cases through the built program and judges the answers.
 *
 * usage: run PAYHOOK DIR...    DIR holds vectors.json (recorded requests: `peer` overlaid with `expect`
 * is the right answer) and handle.json (requests with the Handle answer we promise). Prints what
 * fails.
 *
 * The comparison is the corpus': every leaf of the right answer must be in ours, what ours has
 * beside it is free, null means absent, {} present with any content, and source_verified must
 * never be true where the answer does not say so. Every case counts: one whose recorded answer
 * is wrong is amended.
 *
 * amend.json mends answers of the corpus that the processor's own documentation contradicts:
 * {"CASE/handle": {"expect": overlay, "why": what is wrong and the source}}. The overlay goes
 * over the right answer (its `error: null` alone makes an answer of a wanted error, an `error`
 * alone the reverse), and the case is judged like any other. An amendment of a case that is not
 * there fails the run. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <yyjson.h>

enum { PATH_MAX_BYTES = 4096 };

static size_t passed, failed, amended;

static char problem[1024];

static bool bad(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(problem, sizeof(problem), format, args);
    va_end(args);
    return false;
}

static yyjson_doc *read_file(const char *dir, const char *name)
{
    char path[PATH_MAX_BYTES];
    snprintf(path, sizeof(path), "%s/%s", dir, name);
    if (access(path, R_OK) != 0)
        return NULL;
    yyjson_read_err err;
    yyjson_doc *doc = yyjson_read_file(path, YYJSON_READ_ALLOW_INVALID_UNICODE, NULL, &err);
    if (doc == NULL) {
        fprintf(stderr, "%s: %s at byte %zu\n", path, err.msg, err.pos);
        exit(2);
    }
    return doc;
}

/* `peer` with `expect` over it: a member of expect replaces, two objects merge, null stays as
 * "absent". */
static yyjson_mut_val *overlay(yyjson_mut_doc *doc, yyjson_val *base, yyjson_val *over)
{
    if (!yyjson_is_obj(base) || !yyjson_is_obj(over))
        return yyjson_val_mut_copy(doc, over);
    yyjson_mut_val *out = yyjson_val_mut_copy(doc, base);
    yyjson_obj_iter it = yyjson_obj_iter_with(over);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&it)) != NULL;) {
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        yyjson_val *was = yyjson_obj_get(base, yyjson_get_str(key));
        yyjson_mut_val *merged = yyjson_is_obj(value) && yyjson_is_obj(was)
                                     ? overlay(doc, was, value)
                                     : yyjson_val_mut_copy(doc, value);
        yyjson_mut_obj_put(out, yyjson_val_mut_copy(doc, key), merged);
    }
    return out;
}

static bool is_error(yyjson_val *v)
{
    return yyjson_is_obj(v) && yyjson_obj_get(v, "error") != NULL &&
           !yyjson_is_null(yyjson_obj_get(v, "error")) && yyjson_obj_get(v, "event_type") == NULL &&
           yyjson_obj_get(v, "event_content") == NULL;
}

/* The right answer of a case to `what`, by the corpus alone, as a document of its own; NULL: it
 * has none. */
static yyjson_doc *recorded(yyjson_val *a_case, const char *what)
{
    yyjson_val *peer = yyjson_obj_get(yyjson_obj_get(a_case, "peer"), what);
    yyjson_val *expect = yyjson_obj_get(yyjson_obj_get(a_case, "expect"), what);
    size_t expected = yyjson_is_obj(expect) ? yyjson_obj_size(expect) : 0;
    if (peer == NULL && expected == 0)
        return NULL;
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_val *peer_error = yyjson_obj_get(peer, "error");
    yyjson_val *expect_error = yyjson_obj_get(expect, "error");
    bool peer_failed = yyjson_is_obj(peer_error) && yyjson_obj_get(peer_error, "code") != NULL;
    yyjson_mut_val *root;
    if (peer == NULL || (peer_failed && expected > 0 && expect_error == NULL))
        root = yyjson_val_mut_copy(doc, expect);
    else if (expected == 0)
        root = yyjson_val_mut_copy(doc, peer);
    else if (expect_error != NULL && yyjson_obj_get(expect, "event_type") == NULL &&
             !yyjson_is_null(expect_error))
        root = yyjson_val_mut_copy(doc, expect);
    else
        root = overlay(doc, peer, expect);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_doc *out = yyjson_mut_doc_imut_copy(doc, NULL);
    yyjson_mut_doc_free(doc);
    return out;
}

/* The same with the amendment of that name over it. */
static yyjson_doc *right(yyjson_val *a_case, const char *what, yyjson_val *amendments)
{
    char full[512];
    const char *name = yyjson_get_str(yyjson_obj_get(a_case, "name"));
    snprintf(full, sizeof(full), "%s/%s", name != NULL ? name : "", what);
    yyjson_doc *doc = recorded(a_case, what);
    yyjson_val *expect = yyjson_obj_get(yyjson_obj_get(amendments, full), "expect");
    if (expect == NULL)
        return doc;
    amended++;
    yyjson_mut_doc *mended = yyjson_mut_doc_new(NULL);
    yyjson_val *base = yyjson_doc_get_root(doc);
    bool over = base != NULL && !is_error(base) && !is_error(expect);
    yyjson_mut_doc_set_root(mended, over ? overlay(mended, base, expect)
                                         : yyjson_val_mut_copy(mended, expect));
    yyjson_doc_free(doc);
    doc = yyjson_mut_doc_imut_copy(mended, NULL);
    yyjson_mut_doc_free(mended);
    return doc;
}

/* A null error among members that are there means "no error": such an answer is judged as an
 * answer. */
static bool wants_error(yyjson_val *want)
{
    return is_error(want);
}

static bool is_empty(yyjson_val *v)
{
    if (yyjson_is_str(v) && strcmp(yyjson_get_str(v), "WEBHOOK_EVENT_TYPE_UNSPECIFIED") == 0)
        return true; /* the corpus writes the default out where proto3 JSON omits it */
    return v == NULL || yyjson_is_null(v) || yyjson_is_false(v) ||
           (yyjson_is_str(v) && yyjson_get_len(v) == 0) ||
           (yyjson_is_int(v) && yyjson_get_int(v) == 0) ||
           (yyjson_is_obj(v) && yyjson_obj_size(v) == 0) ||
           (yyjson_is_arr(v) && yyjson_arr_size(v) == 0);
}

static void as_text(yyjson_val *v, char *out, size_t room)
{
    if (v == NULL)
        snprintf(out, room, "nothing");
    else if (yyjson_is_str(v))
        snprintf(out, room, "%s", yyjson_get_str(v));
    else if (yyjson_is_uint(v))
        snprintf(out, room, "%llu", (unsigned long long)yyjson_get_uint(v));
    else if (yyjson_is_sint(v))
        snprintf(out, room, "%lld", (long long)yyjson_get_sint(v));
    else if (yyjson_is_bool(v))
        snprintf(out, room, "%s", yyjson_get_bool(v) ? "true" : "false");
    else {
        char *json = yyjson_val_write(v, 0, NULL);
        snprintf(out, room, "%s", json != NULL ? json : "?");
        free(json);
    }
}

static bool repeats_connector_id(yyjson_val *want, const char *key, yyjson_val *value)
{
    if (strncmp(key, "merchant_", 9) != 0)
        return false;
    yyjson_obj_iter it = yyjson_obj_iter_with(want);
    for (yyjson_val *k; (k = yyjson_obj_iter_next(&it)) != NULL;)
        if (strncmp(yyjson_get_str(k), "connector_", 10) == 0 &&
            yyjson_equals(yyjson_obj_iter_get_val(k), value))
            return true;
    return false;
}

static bool matches(yyjson_val *want, yyjson_val *got, const char *path);

static bool member_matches(yyjson_val *want_obj, const char *key, yyjson_val *value,
                           yyjson_val *got, const char *path)
{
    if (strcmp(key, "message") == 0 || strcmp(key, "raw_connector_response") == 0 ||
        strcmp(key, "response_headers") == 0)
        return true;
    char text[256], have[256];
    yyjson_val *g = yyjson_obj_get(got, key);
    if (strcmp(key, "error") == 0 && yyjson_is_obj(value)) {
        yyjson_val *details = yyjson_obj_get(value, "connector_details");
        if (yyjson_obj_size(value) == 0 || (yyjson_obj_size(value) == 1 && yyjson_is_obj(details) &&
                                            yyjson_obj_size(details) == 0))
            return true;
    }
    if (yyjson_is_null(value)) {
        if (is_empty(g))
            return true;
        as_text(g, have, sizeof(have));
        return bad("%s/%s: should be absent, is %.120s", path, key, have);
    }
    if (yyjson_is_obj(value)) {
        if (yyjson_obj_size(value) == 0 && is_empty(g))
            return bad("%s/%s: should be there", path, key);
        if (g == NULL && strcmp(key, "event_ack_response") == 0 && yyjson_obj_size(value) == 1 &&
            yyjson_get_int(yyjson_obj_get(value, "status_code")) == 200)
            return true;
        char deeper[512];
        snprintf(deeper, sizeof(deeper), "%s/%s", path, key);
        return matches(value, g, deeper);
    }
    if (yyjson_is_arr(value)) {
        if (!yyjson_is_arr(g) || yyjson_arr_size(g) != yyjson_arr_size(value))
            return bad("%s/%s: want %zu elements, are %zu", path, key, yyjson_arr_size(value),
                       yyjson_arr_size(g));
        for (size_t i = 0; i < yyjson_arr_size(value); i++) {
            char deeper[512];
            snprintf(deeper, sizeof(deeper), "%s/%s/%zu", path, key, i);
            yyjson_val *w = yyjson_arr_get(value, i), *h = yyjson_arr_get(g, i);
            if (yyjson_is_obj(w) ? !matches(w, h, deeper) : !yyjson_equals(w, h))
                return yyjson_is_obj(w) ? false : bad("%s: differs", deeper);
        }
        return true;
    }
    if (is_empty(value) && is_empty(g))
        return true;
    if (g == NULL && repeats_connector_id(want_obj, key, value))
        return true;
    as_text(value, text, sizeof(text));
    as_text(g, have, sizeof(have));
    if (strcmp(text, have) == 0)
        return true;
    return bad("%s/%s: want %.120s, is %.120s", path, key, text, have);
}

static bool matches(yyjson_val *want, yyjson_val *got, const char *path)
{
    yyjson_obj_iter it = yyjson_obj_iter_with(want);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&it)) != NULL;)
        if (!member_matches(want, yyjson_get_str(key), yyjson_obj_iter_get_val(key), got, path))
            return false;
    return true;
}

/* The whole verdict on one answer. */
static bool judge(yyjson_val *want, yyjson_val *got, const char *what)
{
    if (got == NULL)
        return bad("no answer");
    if (wants_error(want))
        return is_error(got) ? true : bad("want an error, got an answer");
    if (is_error(got))
        return bad("want an answer, got the error %s",
                   yyjson_get_str(yyjson_obj_get(yyjson_obj_get(got, "error"), "code")));
    if (strcmp(what, "handle") == 0 && yyjson_is_true(yyjson_obj_get(got, "source_verified")) &&
        !yyjson_is_true(yyjson_obj_get(want, "source_verified")))
        return bad("FORGED ACCEPTED: source_verified is true");
    return matches(want, got, "");
}

static void write_line(FILE *out, const char *connector, yyjson_val *a_case)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_val *root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, root);
    yyjson_mut_obj_add_str(doc, root, "connector", connector);
    static const char *const keys[] = {"request", "secrets", "config", "event_context",
                                       "merchant_event_id"};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        yyjson_val *v = yyjson_obj_get(a_case, keys[i]);
        if (v != NULL && !yyjson_is_null(v))
            yyjson_mut_obj_add_val(doc, root, keys[i], yyjson_val_mut_copy(doc, v));
    }
    static const char *const clocks[] = {"verify_at", "received_at", "at", "signed_at"};
    for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        yyjson_val *v = yyjson_obj_get(a_case, clocks[i]);
        if (yyjson_is_int(v)) {
            yyjson_mut_obj_add_sint(doc, root, "at", yyjson_get_sint(v));
            break;
        }
    }
    char *text = yyjson_mut_write(doc, YYJSON_WRITE_ALLOW_INVALID_UNICODE, NULL);
    fprintf(out, "%s\n", text);
    free(text);
    yyjson_mut_doc_free(doc);
}

static FILE *run_cases(const char *binary, const char *arguments, const char *connector,
                       yyjson_val *cases)
{
    char path[] = "/tmp/payhook-cases-XXXXXX";
    int fd = mkstemp(path);
    FILE *in = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (in == NULL) {
        perror("mkstemp");
        exit(2);
    }
    yyjson_arr_iter it = yyjson_arr_iter_with(cases);
    for (yyjson_val *c; (c = yyjson_arr_iter_next(&it)) != NULL;)
        write_line(in, connector, c);
    fclose(in);
    char command[2 * PATH_MAX_BYTES];
    snprintf(command, sizeof(command), "'%s' %s <'%s'; rm -f '%s'", binary, arguments, path, path);
    FILE *out = popen(command, "r");
    if (out == NULL) {
        perror("popen");
        exit(2);
    }
    return out;
}

static void report(const char *connector, const char *what, yyjson_val *a_case, bool ok)
{
    passed += ok;
    failed += !ok;
    if (!ok)
        printf("FAIL %s:%s %s: %s\n", connector, what,
               yyjson_get_str(yyjson_obj_get(a_case, "name")), problem);
}

/* Each amendment to `what` says why and names a case there is. */
static void check_amendments(const char *connector, const char *what, yyjson_val *amendments,
                             size_t used)
{
    size_t listed = 0;
    char end[32];
    snprintf(end, sizeof(end), "/%s", what);
    yyjson_obj_iter it = yyjson_obj_iter_with(amendments);
    for (yyjson_val *key; (key = yyjson_obj_iter_next(&it)) != NULL;) {
        size_t len = yyjson_get_len(key), end_len = strlen(end);
        if (len <= end_len || strcmp(yyjson_get_str(key) + len - end_len, end) != 0)
            continue;
        listed++;
        if (yyjson_get_len(yyjson_obj_get(yyjson_obj_iter_get_val(key), "why")) == 0) {
            failed++;
            printf("FAIL %s: the amendment of %s does not say why\n", connector,
                   yyjson_get_str(key));
        }
    }
    if (listed != used) {
        failed++;
        printf("FAIL %s:%s: %zu amendments, %zu of them name a case\n", connector, what, listed,
               used);
    }
}

static void run_vectors(const char *binary, const char *dir, const char *what)
{
    yyjson_doc *doc = read_file(dir, "vectors.json");
    if (doc == NULL)
        return;
    yyjson_doc *amend_doc = read_file(dir, "amend.json");
    size_t mended_before = amended;
    yyjson_val *root = yyjson_doc_get_root(doc), *cases = yyjson_obj_get(root, "cases");
    const char *connector = yyjson_get_str(yyjson_obj_get(root, "connector"));
    FILE *out = run_cases(
        binary, strcmp(what, "parse") == 0 ? "parse --ndjson" : "handle --ndjson --as handle-event",
        connector, cases);
    char *line = NULL;
    size_t room = 0;
    yyjson_arr_iter it = yyjson_arr_iter_with(cases);
    for (yyjson_val *c; (c = yyjson_arr_iter_next(&it)) != NULL;) {
        ssize_t len = getline(&line, &room, out);
        yyjson_doc *got = len > 0 ? yyjson_read(line, (size_t)len, 0) : NULL;
        yyjson_doc *want = right(c, what, yyjson_doc_get_root(amend_doc));
        if (want != NULL)
            report(connector, what, c,
                   judge(yyjson_doc_get_root(want), yyjson_doc_get_root(got), what));
        yyjson_doc_free(want);
        yyjson_doc_free(got);
    }
    free(line);
    pclose(out);
    check_amendments(connector, what, yyjson_doc_get_root(amend_doc), amended - mended_before);
    yyjson_doc_free(amend_doc);
    yyjson_doc_free(doc);
}

/* handle.json: {"connector", "cases": [{"name", "request", …, "handle": the answer we
 * promise}]}; cases of one "same_dedupe", "same_effect", "other_dedupe" or "other_effect" group
 * are compared with each other. */
static void run_handle(const char *binary, const char *dir)
{
    enum { GROUPS_MAX = 512 };
    static struct {
        char group[128], key[512];
    } seen[GROUPS_MAX];
    size_t seen_count = 0;
    yyjson_doc *doc = read_file(dir, "handle.json");
    if (doc == NULL)
        return;
    yyjson_val *root = yyjson_doc_get_root(doc), *cases = yyjson_obj_get(root, "cases");
    const char *connector = yyjson_get_str(yyjson_obj_get(root, "connector"));
    FILE *out = run_cases(binary, "handle --ndjson", connector, cases);
    char *line = NULL;
    size_t room = 0;
    yyjson_arr_iter it = yyjson_arr_iter_with(cases);
    for (yyjson_val *c; (c = yyjson_arr_iter_next(&it)) != NULL;) {
        ssize_t len = getline(&line, &room, out);
        yyjson_doc *got_doc = len > 0 ? yyjson_read(line, (size_t)len, 0) : NULL;
        yyjson_val *got = yyjson_doc_get_root(got_doc), *want = yyjson_obj_get(c, "handle");
        bool ok = want != NULL ? judge(want, got, "handle") : bad("the case promises nothing");
        /* Fail closed: nothing trusted beside a verdict other than VERIFIED. */
        const char *verdict = yyjson_get_str(yyjson_obj_get(got, "verdict"));
        if (ok && !is_error(got) && (verdict == NULL || strcmp(verdict, "VERIFIED") != 0) &&
            (yyjson_obj_get(got, "event_type") != NULL ||
             yyjson_obj_get(got, "event_response") != NULL ||
             yyjson_is_true(yyjson_obj_get(got, "source_verified")) ||
             yyjson_obj_get(got, "dedupe_key") != NULL))
            ok = bad("FORGED ACCEPTED: an unverified answer tells trusted things");
        static const struct {
            const char *group, *key;
            bool same;
        } relations[] = {{"same_dedupe", "dedupe_key", true},
                         {"same_effect", "effect_key", true},
                         {"other_dedupe", "dedupe_key", false},
                         {"other_effect", "effect_key", false}};
        for (size_t r = 0; ok && r < sizeof(relations) / sizeof(relations[0]); r++) {
            const char *group = yyjson_get_str(yyjson_obj_get(c, relations[r].group));
            if (group == NULL)
                continue;
            const char *key = yyjson_get_str(yyjson_obj_get(got, relations[r].key));
            if (key == NULL) {
                ok = bad("no %s", relations[r].key);
                break;
            }
            char name[128];
            snprintf(name, sizeof(name), "%s:%s", relations[r].group, group);
            for (size_t i = 0; ok && i < seen_count; i++)
                if (strcmp(seen[i].group, name) == 0 &&
                    (strcmp(seen[i].key, key) == 0) != relations[r].same)
                    ok = bad("%s %s %s another of its group", relations[r].key, key,
                             relations[r].same ? "differs from" : "equals");
            if (seen_count < GROUPS_MAX) {
                snprintf(seen[seen_count].group, sizeof(seen[0].group), "%s", name);
                snprintf(seen[seen_count++].key, sizeof(seen[0].key), "%s", key);
            }
        }
        report(connector, "Handle", c, ok);
        yyjson_doc_free(got_doc);
    }
    free(line);
    pclose(out);
    yyjson_doc_free(doc);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: run PAYHOOK DIR...\n");
        return 2;
    }
    for (int i = 2; i < argc; i++) {
        run_vectors(argv[1], argv[i], "parse");
        run_vectors(argv[1], argv[i], "handle");
        run_handle(argv[1], argv[i]);
    }
    printf("%zu passed, %zu failed, %zu amended\n", passed, failed, amended);
    if (passed == 0) /* a corpus that shrank to nothing proves nothing */
        return 1;
    return failed == 0 ? 0 : 1;
}
