"""Statements and snapshots of one replica: what keeps a library of many years small (DESIGN §6).

============== ==================================================================================
``statements`` where the replicas of the library are, by what they signed
``believing``  which of the relay's snapshots may be loaded, by what members said of them
``asserted``   what counts by a snapshot's word alone, behind the end of who lost a right
``making``     a snapshot of this replica, sealed into chunks
``reading``    a snapshot's chunks opened, and its parts in order
``loading``    a snapshot checked whole, then merged
``verifying``  a snapshot compared with the changes that are here
``desk``       all of it as a sync session sees it
============== ==================================================================================
"""
