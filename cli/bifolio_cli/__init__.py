"""The command line of Bifolio: reads arguments, calls the library, prints the outcome.

=================== ==============================================================================
``main``            the command, the one place where errors end, the exit codes
``lean_msgspec``    msgspec as a command loads it, without what takes long
``plain_calls``     calls of the most used verbs, read without Typer, which is slow to load
``application``     every other call, and the help: the verbs as Typer reads them
``actions``         what the most used verbs do, however their call was read
``call``            one call: its library, how it speaks, its exit code
``invocation``      what every verb shares: -L and --json, and arguments of many verbs
``output``          the outcome on stdout, messages on stderr
``progress``        progress bars on a terminal
``environment``     where things are on this computer: the only reader of the environment
``edit_arguments``  ``field=value`` arguments as edits
``text_input``      a text as an argument, or through standard input
``passphrase_input`` a ticket's passphrase, as it is typed
``ticket_input``    what ``attach`` is given: an address, a ticket, a mail with one
``join_choice``     whether a library of one's own becomes part of a ticket's
``batch``           several references named in one call
``query_command``   a verb whose arguments are a query
``export_target``   where an export goes: a file, a device or the terminal
``export_watch``    ``export --watch``: a file that is kept current
``opener``          the computer's own way to open a file
``os_errors``       what the operating system refuses, as an error of Bifolio's
``json_documents``  what each command prints with --json
``json_failures``   what any command may print with --json: that it failed, or the version
``commands``        one module for each verb
``text``            what a person reads
``service``         what starts automatic sync at login
``demo``            the demonstration
``bench``           what the merge of a library costs on this computer, measured
=================== ==============================================================================

Decides nothing about references; every rule is the engine's.
"""
