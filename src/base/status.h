/* Operating errors: numbered once and for good, negative, each with one text. A finding ("forged")
 * is a value, never one of these (STYLE: errors come in three kinds). */
#ifndef PH_BASE_STATUS_H
#define PH_BASE_STATUS_H

#define PH_STATUSES(X)                                                                             \
    X(PH_OK, 0, "ok")                                                                              \
    X(PH_ERR_NO_MEMORY, -1, "out of memory")                                                       \
    X(PH_ERR_TOO_LARGE, -2, "larger than the limit")                                               \
    X(PH_ERR_MALFORMED, -3, "malformed input")                                                     \
    X(PH_ERR_INVALID, -4, "invalid argument")                                                      \
    X(PH_ERR_NOT_FOUND, -5, "not found")                                                           \
    X(PH_ERR_UNSUPPORTED, -6, "not supported")                                                     \
    X(PH_ERR_CRYPTO, -7, "the crypto library failed")                                              \
    X(PH_ERR_IO, -8, "input/output failed")                                                        \
    X(PH_ERR_SYSTEM, -9, "the operating system refused")                                           \
    X(PH_ERR_AGAIN, -10, "try again later")

enum ph_status {
#define PH_STATUS_ENUM(name, number, text) name = (number),
    PH_STATUSES(PH_STATUS_ENUM)
#undef PH_STATUS_ENUM
};

/* A function off the usual way: kept out of its callers, which stay small. */
#define PH_COLD     __attribute__((cold, noinline))
#define PH_MUST_USE __attribute__((warn_unused_result))

/* The only macro of ours that hides a return: passes an error on. */
#define PH_TRY(call)                                                                               \
    do {                                                                                           \
        enum ph_status ph_try_status = (call);                                                     \
        if (__builtin_expect(ph_try_status != PH_OK, 0))                                           \
            return ph_try_status;                                                                  \
    } while (0)

/* The one text of a status; never NULL. */
const char *ph_status_text(enum ph_status status);

#endif
