"""Automatic sync: one process of the user's that keeps attached libraries live.

=============  ==================================================================================
registry       which libraries: those turned on, by path, under the home
keeper         one library in a thread of its own: open, stay in sync, try again
process        the process: starts and stops keepers, and looks for what changed on the disk
state          what each keeper last said, in a file for ``status``
lock           one process for one home
log            a bounded file, without a title, a name or a secret
=============  ==================================================================================

Commands never wait for the process: they write to the library, and it notices. What starts it at
login is the command line's matter.
"""
