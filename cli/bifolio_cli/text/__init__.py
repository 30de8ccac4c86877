"""The words of the command line: what a person reads, made of values, without I/O.

=================== ==============================================================================
``reference_text``  references, conflicts, numbers and single values
``note_text``       notes and annotations
``history_text``    the history of a reference and the log
``status_text``     status, automatic sync, where files are
``safe_text``       what others wrote, as it may reach a terminal
``next_steps``      what to do next: the words for each code of the engine
``messages``        every message in one list, the page docs/messages.md
``moments``         dates and times, as a user writes them
``durations``       how long something lasts, as a user writes it
``member_text``     members and tickets
``qr``              a text as a QR code
``manual``          the page docs/cli.md, made from the command itself
=================== ==============================================================================
"""
