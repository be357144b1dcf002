#ifndef PH_CMD_SERVE_H
#define PH_CMD_SERVE_H

/* payhook serve; argv[0] is "serve". Gives the exit status. */
int ph_cmd_serve(int argc, char **argv);

#endif
