using System.Text.Json.Serialization;

namespace DistDb.Node.Api;

/// <summary>The body of <c>POST /cluster/promote</c>.</summary>
/// <param name="Id">The node that is to be the master.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record PromoteRequest([property: JsonRequired] int Id);

/// <summary>The body of <c>POST /cluster/members</c>: a member is reached elsewhere from now on.</summary>
/// <param name="Id">The member.</param>
/// <param name="Address">Its base address, such as <c>http://127.0.0.1:9001</c>.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record MemberRequest([property: JsonRequired] int Id, [property: JsonRequired] string Address);

/// <summary>What <c>GET /cluster/members</c> answers, and what a change of the membership answers when it is done.</summary>
/// <param name="Members">All members, by id.</param>
public sealed record MembersAnswer(IReadOnlyList<MemberAnswer> Members);

/// <summary>A member of the cluster.</summary>
/// <param name="Id">Its node id.</param>
/// <param name="Address">Where it is reached.</param>
/// <param name="Role"><c>master</c> or <c>node</c>.</param>
/// <param name="Suffrage"><c>voter</c>; or <c>learner</c>, which catches up and does not count yet.</param>
/// <param name="Reachable">It was heard within the last second; true for the node that answers.</param>
public sealed record MemberAnswer(int Id, string Address, string Role, string Suffrage, bool Reachable);

/// <summary>What <c>POST /cluster/promote</c> answers.</summary>
/// <param name="Master">The master as of that entry.</param>
/// <param name="Index">The log entry that did it.</param>
/// <param name="Node">The node that answers.</param>
public sealed record PromoteAnswer(int Master, long Index, int Node);
