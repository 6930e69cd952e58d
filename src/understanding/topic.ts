/** What somebody may be talking about, instead of sending a name. */
export type Topic =
  | 'greeting'
  | 'thanks'
  | 'praise'
  | 'yes'
  | 'no'
  | 'bye'
  | 'help'
  | 'how_long'
  | 'how_much'
  | 'who_are_you'
  | 'wrong_name'
  | 'wrong_stress'
  | 'does_not_come'
  | 'wishes'
  | 'forget_me'
  | 'not_understood'

/** Topics that a single word can be about. */
export type WordTopic = 'greeting' | 'thanks' | 'praise' | 'yes' | 'no' | 'bye' | 'help' | 'wishes'
