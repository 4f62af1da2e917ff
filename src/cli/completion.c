/* completion.c - `busctl completion bash`, from the tables. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "config/config.h"

/* Words that a flag's value may be, or how the shell finds them. */
static void
print_values(const struct config_option *option)
{
	if (option->words == NULL && strcmp(option->arg, "FILE") != 0 &&
	    strcmp(option->arg, "DIR") != 0)
		return;
	(void)printf("\t--%s)\n", option->name);
	if (option->words != NULL) {
		(void)fputs("\t\tCOMPREPLY=($(compgen -W '", stdout);
		for (const char *p = option->words; *p != '\0'; p++)
			(void)putchar(*p == '|' ? ' ' : *p);
		(void)puts("' -- \"$word\"))");
	} else {
		(void)printf("\t\tCOMPREPLY=($(compgen %s -- \"$word\"))\n",
		    strcmp(option->arg, "DIR") == 0 ? "-d" : "-f");
	}
	(void)puts("\t\treturn ;;");
}

static void
print_commands(void)
{
	for (size_t i = 0; i < cli_command_count; i++)
		(void)printf("%s%s", i == 0 ? "" : " ", cli_commands[i].name);
}

/* The commands that take these options, as a pattern of case. */
static void
print_pattern(enum cli_options options)
{
	const char *between = "\t";

	for (size_t i = 0; i < cli_command_count; i++) {
		if (cli_commands[i].options != options)
			continue;
		(void)printf("%s%s", between, cli_commands[i].name);
		between = "|";
	}
	(void)puts(")");
}

static void
print_flags(void)
{
	print_pattern(CLI_ALL);
	(void)fputs("\t\tflags='-n --config", stdout);
	for (size_t i = 0; i < config_option_count; i++)
		(void)printf(" --%s", config_options[i].name);
	(void)puts("' ;;");
	print_pattern(CLI_PLACE);
	(void)puts("\t\tflags='--name --run-dir --config' ;;");
	(void)puts("\t*) flags='' ;;\n\tesac");
}

static void
print_script(void)
{
	(void)puts("# bash completion for clusterbus and its name busctl\n"
		   "_clusterbus() {\n"
		   "\tlocal word=${COMP_WORDS[COMP_CWORD]}\n"
		   "\tlocal before=${COMP_WORDS[COMP_CWORD-1]}\n"
		   "\tlocal command=${COMP_WORDS[1]} flags more=\n"
		   "\tCOMPREPLY=()\n"
		   "\tcase $before in\n"
		   "\t--config)\n"
		   "\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n"
		   "\t\treturn ;;");
	for (size_t i = 0; i < config_option_count; i++)
		print_values(&config_options[i]);
	(void)fputs("\tesac\n"
		    "\tif ((COMP_CWORD == 1)); then\n"
		    "\t\tCOMPREPLY=($(compgen -W '",
	    stdout);
	print_commands();
	(void)puts("' -- \"$word\"))\n\t\treturn\n\tfi\n\tcase $command in");
	print_flags();
	(void)fputs("\tcase $command in\n"
		    "\tstop) more='--fast --verbose' ;;\n"
		    "\treload|restart|scale) more=--verbose ;;\n"
		    "\tstatus) more=--json ;;\n"
		    "\tpublish) more=--text ;;\n"
		    "\tsubscribe) more='--count --json' ;;\n"
		    "\tworker) more='--attach --label' ;;\n"
		    "\tconfig) more='check print' ;;\n"
		    "\tcompletion) more=bash ;;\n"
		    "\thelp) more='options ",
	    stdout);
	print_commands();
	(void)puts("' ;;\n"
		   "\tesac\n"
		   "\tCOMPREPLY=($(compgen -W \"$flags $more --help\" -- "
		   "\"$word\"))\n"
		   "\t[[ $command == config && $word != -* ]] &&\n"
		   "\t\tCOMPREPLY+=($(compgen -f -- \"$word\"))\n"
		   "}\n"
		   "complete -F _clusterbus clusterbus busctl");
}

int
cli_completion(int argc, char **argv)
{
	if (argc < 2)
		return cli_usage("completion",
		    "completion: for which shell? "
		    "(bash)");
	if (strcmp(argv[1], "bash") != 0)
		return cli_usage("completion",
		    "completion: '%.64s' is not known; bash is", argv[1]);
	if (argc > 2)
		return cli_no_words("completion", argc - 2, argv + 2);
	print_script();
	return CLI_OK;
}
