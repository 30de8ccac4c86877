"""Automatic sync: one process of the user's that keeps attached libraries live.

Commands never wait for the process: they write to the library, and it notices. What starts it at
login is the command line's matter.

================== =================================================================================
``registry``       which libraries: those turned on, by path, under the home
``control``        turning it on and off, and asking how it goes
``watch``          a parent that begins the process again where something ended it
``supervisor``     the process: starts and stops workers, and looks for what changed on the disk
``library_worker`` one library in a thread of its own: open, stay in sync, try again
``state``          what each worker last said, in a file for ``status``
``lock``           one process for one home
``log``            a bounded file, without a title, a name or a secret
================== =================================================================================
"""
