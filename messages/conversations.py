"""Who says what to whom. Beside it, what the sender means by it; in the modules, the rules it is held to.

An endpoint speaks HTTP for its master or agent (mesolite/gateway). A remote scheduler or executor is somebody whose
user code is a stream there: to its master or agent it is a driver or an executor as any other, and says and hears what
those do. An endpoint says what an operator says, too.

    election: anybody and the elector
      KeepSession                  any -> elector               I am here: open or prolong my session
      SessionKept                  elector -> any               this is its number
      SessionExpired               elector -> any               that session is over, and what it held is gone
      ExpireSession                operator -> elector          end that actor's session now
      JoinElection                 master -> elector            take me as a candidate
      ElectionJoined               elector -> master            you are one, with this sequence number
      LeaveElection                master -> elector            I withdraw
      ElectionLeft                 elector -> master            withdrawn
      DetectLeader                 any -> elector               tell me when the leader is not the one I know
      LeaderDetected               elector -> any               this one leads now, or nobody does

    registrar: a master and what outlives it
      RecoverRegistry              master -> registrar          I lead: claim the store and read it to me
      RegistryRecovered            registrar -> master          it is yours, and this is in it
      ApplyOperation               master -> registrar          make this durable
      OperationApplied             registrar -> master          it is durable: act on it
      RegistryRefused              registrar -> master          not taken: you no longer lead

    agent: an agent and its master
      RegisterAgent                agent -> master              admit me, I have no id yet
      AgentRegistered              master -> agent              you are admitted, under this id
      ReregisterAgent              agent -> master              I have an id, and this is all I hold
      AgentReregistered            master -> agent              you are back; and what became of these tasks?
      PingAgent                    master -> agent              are you there?
      PongAgent                    agent -> master              I am
      UnregisterAgent              agent -> master              I leave for good
      ShutdownAgent                master -> agent              shut down: you are not wanted here
      DrainAgent                   master -> agent              kill what you run, take nothing new
      AgentDrained                 agent -> master              nothing is left of it
      RevokeTask                   master -> agent              end this task: it was not returned in time
      RevokeExecutor               master -> agent              and this executor
      ShutdownFramework            master -> agent              end everything of this framework
      UpdateFramework              master -> agent              its scheduler is here now
      ExitedExecutor               agent -> master -> driver    that custom executor has ended

    scheduler: a scheduler's driver and the master
      Subscribe                    driver -> master             take my framework
      FrameworkRegistered          master -> driver             taken, new to me or from another instance
      FrameworkReregistered        master -> driver             taken back: I remember you
      FrameworkError               master -> driver             refused: abort
      ResourceOffers               master -> driver             use these if you like
      RescindOffer                 master -> driver             that offer no longer holds
      InverseOffers                master -> driver             please give these back
      RescindInverseOffer          master -> driver             never mind
      AcceptInverseOffers          driver -> master             I will
      DeclineInverseOffers         driver -> master             I will not
      AcceptOffers                 driver -> master             I use these, for this
      DeclineOffers                driver -> master             no, thank you
      SuppressOffers               driver -> master             no offers until I revive
      ReviveOffers                 driver -> master             forget my filters and offer again
      ReconcileTasks               driver -> master             what do you know of these tasks?
      AgentLost                    master -> driver             that agent has left or is unreachable
      DeactivateFramework          driver -> master             I abort; my tasks go on
      Teardown                     driver -> master             end this framework and all it runs

    relayed: over several hops, each checking who sent it
      RunTask                      master -> agent -> executor                run this
      KillTask                     driver -> master -> agent -> executor      end this task
      ShutdownExecutorOf           remote -> master -> agent                  end that executor and its tasks
      StatusUpdate                 executor -> agent -> master -> driver      the task is in this state
      StatusUpdateAcknowledgement  driver -> master -> agent -> executor      that update was taken
      FrameworkToExecutor          driver -> master -> agent -> executor      your own bytes, best effort
      ExecutorToFramework          executor -> agent -> master -> driver      your own bytes, best effort

    operator: an operator and the leading master
      DeactivateAgentCall            operator -> master         offer nothing more from it
      ReactivateAgentCall            operator -> master         offer from it again
      DrainAgentCall                 operator -> master         kill what runs there, with grace
      MarkAgentGoneCall              operator -> master         it will never come back
      UpdateMaintenanceScheduleCall  operator -> master         these machines will be away then
      StartMaintenanceCall           operator -> master         these machines go down now
      StopMaintenanceCall            operator -> master         these machines are back
      ReclaimResourcesCall           operator -> master         get these back by then
      ReleaseReclaimCall             operator -> master         I do not want them any more
      TeardownFrameworkCall          operator -> master         end this framework
      CallAnswered                   master -> operator         done, or why not

    queries: whoever wants to know and the leading master, or an agent; nothing changes
      GetState                     operator -> master           tell me everything
      GetMaintenanceSchedule       operator -> master           which windows are there?
      GetMaintenanceStatus         operator -> master           which machines are draining or down?
      GetFramework                 operator -> master           is there one of that id?
      GetDrains                    operator -> master           which drains are there?
      GetDrain                     operator -> master           where does it stand, what does it wait for?
      GetReclaims                  operator -> master           which reclaims are there?
      GetReclaim                   operator -> master           where does it stand, what does it wait for?
      GetSnapshot                  endpoint -> master           tell me everything, as nouns
      GetHoldings                  endpoint -> agent            tell me all that you know, and whether you are ready
      QueryAnswered                any -> any                   this is so, or why there is no telling

    executor: an executor and its agent
      RegisterExecutor             executor -> agent            I am up
      ExecutorRegistered           agent -> executor            known: what you are, and where
      ReconnectExecutor            agent -> executor            I was restarted: tell me what you have
      ReregisterExecutor           executor -> agent            these tasks and updates are not acknowledged
      ExecutorReregistered         agent -> executor            connected again
      ShutdownExecutor             agent -> executor            end your tasks and yourself within the grace

    watching: an endpoint and its master
      WatchStanding                endpoint -> master           tell me where you stand, and whenever that changes
      MasterStanding               master -> endpoint           whether I lead, and who does
      WatchCluster                 endpoint -> master           tell me all, and then what changes; or no more
      ClusterWatched               master -> endpoint           this is all
      TaskAdded                    master -> endpoint           a task is there
      TaskUpdated                  master -> endpoint           something was said of a task
      AgentAdded                   master -> endpoint           an agent is registered
      AgentRemoved                 master -> endpoint           it is not any more
      FrameworkAdded               master -> endpoint           a framework is there
      FrameworkUpdated             master -> endpoint           it has subscribed again, or has gone away
      FrameworkRemoved             master -> endpoint           it has ended

    remote: an endpoint and a remote scheduler or executor
      FrameworkSubscribed          remote -> endpoint           the master has taken me: let calls come
      SchedulerCalled              endpoint -> remote           your client has made this call
      ExecutorSubscribed           endpoint -> remote           your process has subscribed
      ExecutorConnected            remote -> endpoint           the agent has taken me: let calls come; or no more
      ExecutorCalled               endpoint -> remote           your process has made this call
      StreamLost                   endpoint -> remote           your client has gone
"""
