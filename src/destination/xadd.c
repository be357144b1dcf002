#include "destination/xadd.h"

#include <hiredis/hiredis.h>

#include "core/codec.h"
#include "destination/cloudevent.h"

/* XADD stream [MAXLEN ~ n] * field value … */
struct command {
    const char *words[6 + 2 * (PH_ATTRIBUTES_MAX + 1)];
    size_t lens[6 + 2 * (PH_ATTRIBUTES_MAX + 1)];
    int count;
};

static void word(struct command *command, struct ph_slice text)
{
    command->words[command->count] = text.ptr;
    command->lens[command->count++] = text.len;
}

static enum ph_status command_of(struct ph_arena *arena, struct ph_slice stream, int64_t length,
                                 const struct ph_notice *notice, struct command *ret)
{
    struct ph_attribute attributes[PH_ATTRIBUTES_MAX];
    size_t count;
    PH_TRY(ph_cloudevent_attributes(arena, notice, attributes, &count));
    ret->count = 0;
    word(ret, PH_S("XADD"));
    word(ret, stream);
    if (length > 0) {
        struct ph_slice text = ph_decimal(arena, length);
        if (!ph_slice_present(text))
            return PH_ERR_NO_MEMORY;
        word(ret, PH_S("MAXLEN"));
        word(ret, PH_S("~"));
        word(ret, text);
    }
    word(ret, PH_S("*"));
    for (size_t i = 0; i < count; i++) {
        word(ret, attributes[i].name);
        word(ret, attributes[i].value);
    }
    word(ret, PH_S("data"));
    word(ret, ph_slice_present(notice->due->answer) ? notice->due->answer : PH_S(""));
    return PH_OK;
}

/* A command, as the protocol writes it; hiredis's memory. */
struct piece {
    char *text;
    long long len;
};

/* Answers how many were written, and how many bytes they have: all, unless there is no memory. */
static size_t write_pieces(struct ph_arena *arena, struct ph_slice stream, int64_t length,
                           const struct ph_notice *notices, size_t count, struct piece *pieces,
                           size_t *ret_bytes)
{
    size_t bytes = 0, done = 0;
    for (; done < count; done++) {
        struct command command;
        struct piece *piece = &pieces[done];
        if (command_of(arena, stream, length, &notices[done], &command) != PH_OK)
            break;
        piece->len =
            redisFormatCommandArgv(&piece->text, command.count, command.words, command.lens);
        if (piece->len < 0)
            break;
        bytes += (size_t)piece->len;
    }
    *ret_bytes = bytes;
    return done;
}

enum ph_status ph_xadd_write(struct ph_arena *arena, struct ph_slice stream, int64_t length,
                             const struct ph_notice *notices, size_t count, struct ph_slice *ret)
{
    size_t bytes = 0, done;
    struct piece *pieces = ph_arena_zalloc(arena, count * sizeof *pieces);
    if (pieces == NULL)
        return PH_ERR_NO_MEMORY;
    done = write_pieces(arena, stream, length, notices, count, pieces, &bytes);
    char *text = done == count ? ph_arena_alloc(arena, bytes) : NULL, *to = text;
    for (size_t i = 0; i < done; i++) {
        if (text != NULL) {
            memcpy(to, pieces[i].text, (size_t)pieces[i].len);
            to += pieces[i].len;
        }
        redisFreeCommand(pieces[i].text);
    }
    *ret = ph_slice_of(text, bytes);
    return text != NULL ? PH_OK : PH_ERR_NO_MEMORY;
}
