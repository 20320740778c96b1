namespace DistDb.Node.Raft;

/// <summary>Which configuration may follow which, whoever proposes it (thesis §4.1).</summary>
internal static class MembershipRules
{
    /// <summary>
    /// Whether any majority of the one shares a voter with any majority of the other: at most one voter comes or goes. A voter with another log
    /// is another voter, so it goes and comes, which takes two steps.
    /// </summary>
    public static bool MayFollow(Membership before, Membership after)
    {
        var changes = before.Voters.Except(after.Voters).Count() + after.Voters.Except(before.Voters).Count();
        return changes <= 1
            && after.Members.All(m => !m.IsVoter || before.Find(m.Id) is not { IsVoter: true, LogId: not 0 and var known } || known == m.LogId);
    }
}
