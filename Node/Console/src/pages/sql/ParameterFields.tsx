import { ValueInput } from '../../components/ValueInput'
import { guessed, keyOf, typedFor, type TypedParameters } from './parameters'

interface ParameterFieldsProps {
  /** As they are written. */
  parameters: readonly string[]
  typed: TypedParameters
  onChange: (typed: TypedParameters) => void
}

/** A field for the value of each parameter. */
export function ParameterFields({ parameters, typed, onChange }: ParameterFieldsProps) {
  return (
    <div className="sql-parameters" role="group" aria-label="Parameters">
      {parameters.map(parameter => {
        const value = typedFor(typed, parameter)
        return (
          <ValueInput
            key={keyOf(parameter)}
            column={{ name: parameter, type: '', default: null, not_null: false, primary_key: false, generated: false }}
            label={<span className="mono">{parameter}</span>}
            typed={value}
            onChange={next => onChange({ ...typed, [keyOf(parameter)]: guessed(value, next) })}
          />
        )
      })}
    </div>
  )
}
