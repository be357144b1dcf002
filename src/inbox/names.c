/* Destinations: a configured name is a bit in masks and a number in the file. A number is a name's
 * for good; one that is configured no longer is gone, and its number free once nothing of it is
 * left. */
#include <stdlib.h>

#include "inbox/inbox_private.h"

enum ph_status ph_settings_copy(const struct ph_inbox_options *options, struct ph_settings *ret)
{
    size_t room = 1;
    if (options->destination_count > PH_DESTINATIONS_MAX)
        return PH_ERR_TOO_LARGE;
    for (size_t i = 0; i < options->destination_count; i++)
        room += options->destinations[i].len;
    char *texts = malloc(room), *out = texts;
    if (texts == NULL)
        return PH_ERR_NO_MEMORY;
    *ret = (struct ph_settings){.options = *options, .texts = texts};
    for (size_t i = 0; i < options->destination_count; i++) {
        struct ph_slice name = options->destinations[i];
        if (name.len > 0)
            memcpy(out, name.ptr, name.len);
        ret->names[i] = ph_slice_of(out, name.len);
        out += name.len;
    }
    ret->options.destinations = NULL; /* the caller's; ours are in `names` */
    ret->options.folder = ret->options.vfs = NULL;
    return PH_OK;
}

void ph_settings_free(struct ph_settings *settings)
{
    free(settings->texts);
    settings->texts = NULL;
}

static enum ph_status take_name(struct ph_inbox *inbox, sqlite3_stmt *row)
{
    int64_t number = sqlite3_column_int64(row, 0);
    struct ph_slice text = ph_sql_bytes(row, 1);
    if (number < 0 || number >= PH_INBOX_NAMES_MAX || text.len == 0)
        return PH_ERR_MALFORMED;
    struct ph_name *name = &inbox->names[number];
    free(name->text);
    *name = (struct ph_name){
        .text = strndup(text.ptr, text.len), .gone_ms = sqlite3_column_int64(row, 2), .bit = -1};
    return name->text != NULL ? PH_OK : PH_ERR_NO_MEMORY;
}

enum ph_status ph_names_load(struct ph_inbox *inbox)
{
    sqlite3_stmt *statement;
    enum ph_status st = PH_OK;
    for (int i = 0; i < PH_INBOX_NAMES_MAX; i++)
        inbox->names[i].bit = -1;
    for (int bit = 0; bit < PH_DESTINATIONS_MAX; bit++)
        inbox->numbers[bit] = -1;
    int rc = sqlite3_prepare_v2(inbox->sql.db, "SELECT id, name, gone FROM destinations", -1,
                                &statement, NULL);
    if (rc != SQLITE_OK)
        return ph_sql_failed(&inbox->sql, rc);
    while (st == PH_OK && (rc = sqlite3_step(statement)) == SQLITE_ROW)
        st = take_name(inbox, statement);
    if (st == PH_OK && rc != SQLITE_DONE)
        st = ph_sql_failed(&inbox->sql, rc);
    (void)sqlite3_finalize(statement);
    return st;
}

static int find_name(const struct ph_inbox *inbox, struct ph_slice text)
{
    for (int i = 0; i < PH_INBOX_NAMES_MAX; i++)
        if (inbox->names[i].text != NULL && ph_slice_eq(ph_slice_str(inbox->names[i].text), text))
            return i;
    return -1;
}

/* A number for a new name: one that was never given, else one of which nothing is left. -1: none.
 */
static enum ph_status free_number(struct ph_inbox *inbox, int *ret)
{
    int64_t one;
    for (*ret = 0; *ret < PH_INBOX_NAMES_MAX; ++*ret)
        if (inbox->names[*ret].text == NULL)
            return PH_OK;
    for (*ret = 0; *ret < PH_INBOX_NAMES_MAX; ++*ret) {
        if (inbox->names[*ret].gone_ms == 0)
            continue;
        enum ph_status st =
            PH_SQL_NUMBER(&inbox->sql, PH_W_DESTINATION_USED, &one, ph_sql_int(*ret));
        if (st != PH_OK)
            return st == PH_ERR_NOT_FOUND ? PH_OK : st;
    }
    return PH_ERR_TOO_LARGE;
}

static enum ph_status add_name(struct ph_inbox *inbox, struct ph_slice text, int *ret)
{
    PH_TRY(free_number(inbox, ret));
    struct ph_name *name = &inbox->names[*ret];
    if (name->text == NULL)
        PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_DESTINATION_ADD, ph_sql_int(*ret), ph_sql_text(text)));
    else
        PH_TRY(PH_SQL_RUN(&inbox->sql, PH_W_DESTINATION_NAME, ph_sql_text(text), ph_sql_int(*ret)));
    char *copy = strndup(text.ptr, text.len);
    if (copy == NULL)
        return PH_ERR_NO_MEMORY;
    free(name->text);
    *name = (struct ph_name){.text = copy, .bit = -1};
    inbox->figures.backlog[*ret] = inbox->figures.dead[*ret] = inbox->figures.oldest[*ret] = 0;
    inbox->figures.paused[*ret] = false;
    return PH_OK;
}

static enum ph_status mark_gone(struct ph_inbox *inbox, int number, bool gone)
{
    struct ph_name *name = &inbox->names[number];
    if ((name->gone_ms != 0) == gone)
        return PH_OK;
    name->gone_ms = gone ? inbox->now_ms : 0;
    return PH_SQL_RUN(&inbox->sql, PH_W_DESTINATION_GONE, ph_sql_int(name->gone_ms),
                      ph_sql_int(number));
}

enum ph_status ph_names_apply(struct ph_inbox *inbox)
{
    const struct ph_settings *s = &inbox->settings;
    for (int i = 0; i < PH_INBOX_NAMES_MAX; i++)
        inbox->names[i].bit = -1;
    for (int bit = 0; bit < PH_DESTINATIONS_MAX; bit++)
        inbox->numbers[bit] = -1;
    /* Known names first, so that a new one takes no number that is about to be used again. */
    for (int known = 1; known >= 0; known--) {
        for (int bit = 0; bit < (int)s->options.destination_count; bit++) {
            int number = s->names[bit].len > 0 ? find_name(inbox, s->names[bit]) : -1;
            if (s->names[bit].len == 0 || (number < 0) == (known == 1) || inbox->numbers[bit] >= 0)
                continue;
            if (number < 0)
                PH_TRY(add_name(inbox, s->names[bit], &number));
            PH_TRY(mark_gone(inbox, number, false));
            inbox->names[number].bit = bit;
            inbox->numbers[bit] = number;
        }
    }
    for (int i = 0; i < PH_INBOX_NAMES_MAX; i++)
        if (inbox->names[i].text != NULL && inbox->names[i].bit < 0)
            PH_TRY(mark_gone(inbox, i, true));
    return PH_OK;
}
